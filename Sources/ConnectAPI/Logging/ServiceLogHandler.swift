internal import CLinux
package import Logging
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON
internal import Synchronization

/// Writes log lines to standard error, as JSON or as `key=value` text. For systemd's journal, each line starts with its
/// priority, which the journal removes.
package struct ServiceLogHandler: LogHandler {
    package enum Format: String, CaseIterable, Sendable {
        case text, json
    }

    package var metadata: Logger.Metadata = [:]
    private let control: LogControl
    private let output: LogOutput
    private let isForJournal: Bool
    /// The level of this copy of the logger, if it was set.
    private var ownLevel: Logger.Level?

    package init(_ control: LogControl, to output: LogOutput, isForJournal: Bool) {
        self.control = control
        self.output = output
        self.isForJournal = isForJournal
    }

    package var logLevel: Logger.Level {
        get { ownLevel ?? control.level }
        set { ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let members = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        output.write(line(event.level, event.message.description, members)) { missingCount in
            line(
                .warning, "log lines were dropped: stderr was not drained",
                [("count", .stringConvertible(missingCount))])
        }
    }

    private func line(_ level: Logger.Level, _ message: String, _ members: Members) -> [UInt8] {
        let time = Timestamp.text(nanosecondsSince1970: Clock.wallNanoseconds())
        let line =
            switch control.format {
            case .json: json(level, message, time, members)
            case .text: text(level, message, time, members)
            }
        return isForJournal ? Array(JournalPriority.prefix(level).utf8) + line : line
    }

    private typealias Members = [(key: String, value: Logger.Metadata.Value)]

    private func json(_ level: Logger.Level, _ message: String, _ time: String, _ members: Members) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        writer.beginObject()
        writer.member("time")
        writer.string(time)
        writer.member("level")
        writer.string(level.rawValue)
        writer.member("message")
        writer.string(message)
        for (key, value) in members where !["time", "level", "message"].contains(key) {
            writer.member(escaping: key)
            writer.logValue(value)
        }
        writer.endObject()
        return writer.finishLine()
    }

    private func text(_ level: Logger.Level, _ message: String, _ time: String, _ members: Members) -> [UInt8] {
        let pairs = members.map { " \($0.key)=\(Self.quoted($0.value.description))" }.joined()
        return Array("\(time) \(level.rawValue) \(VisibleText.of(message))\(pairs)\n".utf8)
    }

    /// Quotes the text if spaces or quotes would make the line ambiguous. The result has no line end.
    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D }
        return isPlain
            ? text
            : "\"\(escapingQuotes(VisibleText.of(text)))\""
    }

    /// By scalar: a quotation mark with a combining accent is another character, but the same byte.
    private static func escapingQuotes(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\\\"" : String($1) }
    }
}

/// Writes whole log lines without blocking the caller.
///
/// A pipe that is not read is full after 64 KiB. A blocking write(2) would then stop all threads that log, and with
/// them checks and the shutdown. Lines that do not fit are dropped and counted.
package final class LogOutput: Sendable {
    private struct State {
        /// The rest of a line that did not fit completely.
        var rest: ArraySlice<UInt8> = []
        var missingCount = 0
    }

    /// A descriptor that is ready for writing takes this many bytes without blocking: PIPE_BUF, pipe(7).
    private static let chunk = 4096

    private let descriptor: Int32
    private let state = Mutex(State())

    /// - Parameter descriptor: owned by the caller; not used again after an error.
    package init(_ descriptor: Int32 = STDERR_FILENO) {
        self.descriptor = descriptor
    }

    /// - Parameter note: creates the line with the number of dropped lines. It comes before the next line that fits.
    func write(_ line: [UInt8], note: (_ missingCount: Int) -> [UInt8]) {
        state.withLock { state in
            guard flush(&state.rest) else { return state.missingCount += 1 }
            if state.missingCount > 0 {
                state.rest = note(state.missingCount)[...]
                state.missingCount = 0
                guard flush(&state.rest) else { return state.missingCount += 1 }
            }
            state.rest = line[...]
            _ = flush(&state.rest)
        }
    }

    /// - Returns: whether everything was written.
    private func flush(_ rest: inout ArraySlice<UInt8>) -> Bool {
        while !rest.isEmpty {
            guard hasRoom else { return false }
            let count = rest.prefix(Self.chunk).withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch Errno.current.rawValue {
            case EINTR: continue
            case EAGAIN: return false
            default: rest = []  // The reader is gone or the disk is full.
            }
        }
        return true
    }

    private var hasRoom: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}

/// Log level and format, shared by all copies of a logger, so that a reload reaches each.
package final class LogControl: Sendable {
    private let state: Mutex<(level: Logger.Level, format: ServiceLogHandler.Format)>
    /// The rank of the level, which every check reads.
    private let rank: Atomic<Int>

    package init(level: Logger.Level, format: ServiceLogHandler.Format) {
        state = Mutex((level, format))
        rank = Atomic(Self.rank(of: level))
    }

    package func set(level: Logger.Level, format: ServiceLogHandler.Format) {
        state.withLock { $0 = (level, format) }
        rank.store(Self.rank(of: level), ordering: .relaxed)
    }

    /// Created once, because each check reads it.
    private static let levels = Logger.Level.allCases

    var level: Logger.Level { Self.levels[rank.load(ordering: .relaxed)] }
    var format: ServiceLogHandler.Format { state.withLock { $0.format } }

    private static func rank(of level: Logger.Level) -> Int {
        levels.firstIndex(of: level) ?? 0
    }
}

/// The priority at the start of a line for systemd's journal, sd-daemon(3). Without it, each line has level `info`.
package enum JournalPriority {
    /// Whether standard error is the journal. JOURNAL_STREAM, systemd.exec(5), names the socket by device and inode, so
    /// an inherited variable does not match another file.
    package static func isWanted(environment: [String: String], descriptor: Int32 = STDERR_FILENO) -> Bool {
        guard let stream = environment["JOURNAL_STREAM"] else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
    }

    package static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "<7>"
        case .info: "<6>"
        case .notice: "<5>"
        case .warning: "<4>"
        case .error: "<3>"
        case .critical: "<2>"
        }
    }

    /// Adds the priority to each line of a text.
    package static func marked(_ text: String, as level: Logger.Level) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { prefix(level) + $0 }.joined(separator: "\n")
    }
}
