package import Logging
internal import SocketIO
internal import StrictJSON

/// Writes log lines to standard error: JSON for programs, `key=value` for people; for systemd's journal
/// with the priority before it, which the journal takes away.
package struct ServiceLogHandler: LogHandler {
    package enum Format: String, CaseIterable, Sendable {
        case text, json
    }

    package var metadata: Logger.Metadata = [:]
    private let control: LogControl
    private let output: LogOutput
    private let isForJournal: Bool
    /// That of one copy of the logger, where somebody has set it.
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
            line(.warning, "log lines are missing: nobody took them", [("count", .stringConvertible(missingCount))])
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
        return Array("\(time) \(level.rawValue) \(Self.printable(message))\(pairs)\n".utf8)
    }

    /// Quoted where a blank or quote would make the line ambiguous; never with a line end in it.
    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D }
        return isPlain
            ? text
            : "\"\(escapingQuotes(printable(text)))\""
    }

    /// Scalar by scalar: an accent on a quotation mark makes another character of it, but not for who reads bytes.
    private static func escapingQuotes(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\\\"" : String($1) }
    }

    /// Without control characters, C1's among them, which terminals obey too.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
