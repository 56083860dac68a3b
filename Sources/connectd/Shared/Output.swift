import ArgumentParser
import CLinux
import ErrorCatalogue
import Glibc
import NetworkTypes

/// Writes standard output and standard error. A text is normally one write(2), so that lines of several
/// threads do not mix.
///
/// If standard output cannot be written, the program reports it and exits. Errors on standard error are ignored.
enum Output {
    /// Read at the start, before anything else is opened: a socket could get the number of a closed descriptor.
    private static let isStandardOutputOpen = connectd_is_open(STDOUT_FILENO) != 0

    /// Opens /dev/null for each standard descriptor that is closed.
    static func prepare() {
        _ = isStandardOutputOpen
        connectd_fill_standard_descriptors()
    }

    static func line(_ text: String) {
        bytes(Array(text.utf8) + [0x0A])
    }

    static func errorLine(_ text: String) {
        errorText(text + "\n")
    }

    static func errorText(_ text: String) {
        _ = write(Array(text.utf8), to: STDERR_FILENO)
    }

    static func bytes(_ bytes: [UInt8]) {
        guard isStandardOutputOpen else { end(Errno(EBADF)) }
        if let error = write(bytes, to: STDOUT_FILENO) { end(error) }
    }

    /// Writes all bytes to a descriptor.
    /// - Returns: The error; nil if everything was written.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Errno? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            let error = count == 0 ? Errno(EIO) : Errno.current
            switch error.rawValue {
            case EINTR: continue
            case EAGAIN:
                // The parent process made the descriptor non-blocking.
                var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&watched, 1, -1)
            default: return error
            }
        }
        return nil
    }

    /// On EPIPE, as with `| head -1`, it exits as silently as by SIGPIPE.
    private static func end(_ error: Errno) -> Never {
        if error.rawValue == EPIPE { endProcess(128 + SIGPIPE) }
        end(error, writing: "standard output")
    }

    /// Ends the process because an output cannot be written.
    /// - Parameter name: The output in the message.
    static func end(_ error: Errno, writing name: String) -> Never {
        errorLine("connectd: cannot write to \(TerminalText.clean(name)): \(ErrnoCatalogue.message(of: error))")
        endProcess(ProgramArguments.usage.outputStatus)
    }
}

/// exit(3); a command has a method of the same name.
func endProcess(_ code: Int32) -> Never {
    exit(code)
}

/// Makes untrusted text (a peer's certificate, a file) safe for a terminal.
enum TerminalText {
    /// Control characters, line separators and marks of writing direction become `\u{…}`.
    static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        return text.unicodeScalars.map { scalar in
            isUnsafe(scalar) ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : String(scalar)
        }.joined()
    }

    /// The beginning of a text, made safe: a file of another kind has long lines.
    static func excerpt(_ text: String) -> String {
        let beginning = text.unicodeScalars.prefix(200)
        let isCut = beginning.endIndex < text.unicodeScalars.endIndex
        return clean(String(beginning)) + (isCut ? "…" : "")
    }

    static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension String {
    /// The text with spaces after it up to a width.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - count, 0))
    }

    /// The text with spaces before it up to a width.
    func paddedLeft(to width: Int) -> String {
        String(repeating: " ", count: max(width - count, 0)) + self
    }
}

/// Terminal colors, or none: SGR sequences of ECMA-48.
struct Palette {
    /// The value of `--color`.
    enum Choice: String, CaseIterable {
        case auto, always, never
    }

    let isColored: Bool

    static let plain = Palette(isColored: false)

    /// - Parameters:
    ///   - isTerminal: Whether the output is a terminal.
    ///   - environment: A nonempty `NO_COLOR` or `TERM=dumb` disables colors for `auto`.
    init(_ choice: Choice, isTerminal: Bool, environment: [String: String]) {
        switch choice {
        case .always: isColored = true
        case .never: isColored = false
        case .auto:
            let isWanted = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
            isColored = isTerminal && isWanted
        }
    }

    private init(isColored: Bool) {
        self.isColored = isColored
    }

    func good(_ text: String) -> String { painted(text, "32") }

    func bad(_ text: String) -> String { painted(text, "1;31") }

    func pending(_ text: String) -> String { painted(text, "33") }

    private func painted(_ text: String, _ code: String) -> String {
        isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// The option `--color`.
struct ColorOption: ParsableArguments {
    @Option(help: "Colors: auto (on a terminal, unless NO_COLOR is set or TERM is dumb), always or never.")
    var color: Palette.Choice = .auto

    /// The palette for a descriptor: isatty(3).
    func palette(for descriptor: Int32) -> Palette {
        Palette(color, isTerminal: isatty(descriptor) == 1, environment: Environment.all)
    }
}

extension Palette.Choice: ExpressibleByArgument {}
