import ArgumentParser
import CLinux
import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import SocketIO
import StrictJSON

/// One argument, or one line of `--file`.
struct TargetEntry {
    enum Content {
        /// A target, and the expectation of its line.
        case target(Target, Expectation?)
        /// The JSON of a request.
        case request(JSONValue)
        /// The problem with this entry.
        case invalid(String)
    }

    let content: Content
    /// `file:line`; nil for an argument.
    let place: String?
}

/// The targets of a command: its arguments, then the lines of `--file`.
enum TargetFile {
    /// - Throws: `ValidationError` if there is no target, or the file cannot be read. A bad argument or line becomes an entry.
    static func entries(named: [String], file: String?) throws -> [TargetEntry] {
        var entries: [TargetEntry] = []
        for text in named { take(Substring(text), at: nil, isLine: false, &entries) }
        if let file {
            let name = file == "-" ? "standard input" : file
            for (index, line) in try lines(of: file).enumerated() {
                let text = line.trimmingBlanks
                if text.isEmpty || text.hasPrefix("#") { continue }
                take(text, at: "\(TerminalText.clean(name)):\(index + 1)", isLine: true, &entries)
            }
        }
        guard !entries.isEmpty else {
            throw ValidationError("no target given: name one, such as host:443, or read them from a file with --file")
        }
        return entries
    }

    private static func take(
        _ text: Substring, at place: String?, isLine: Bool, _ entries: inout [TargetEntry]
    ) {
        do throws(LineProblem) {
            let content = isLine ? try line(text) : .target(try target(text), nil)
            entries.append(TargetEntry(content: content, place: place))
        } catch {
            entries.append(TargetEntry(content: .invalid(error.detail), place: place))
        }
    }

    private struct LineProblem: Error {
        let detail: String
    }

    /// `target [expect=OUTCOME] [# comment]`, or a request in JSON.
    private static func line(_ text: Substring) throws(LineProblem) -> TargetEntry.Content {
        if text.hasPrefix("{") { return .request(try json(text)) }
        let words = withoutComment(text).split(whereSeparator: \.isBlank)
        // A line that is not blank and does not begin with "#" has a first word.
        guard let first = words.first else { throw LineProblem(detail: "is empty") }
        let parsed = try target(first)
        var expectation: Expectation?
        for word in words.dropFirst() {
            guard word.hasPrefix("expect="), expectation == nil else {
                throw LineProblem(
                    detail: """
                        "\(TerminalText.clean(String(word)))" follows the target "\(parsed.text)": write one target per \
                        line, then expect=OUTCOME or # and a comment
                        """)
            }
            do {
                expectation = try OutcomeExpectation.parse(String(word.dropFirst("expect=".count)))
            } catch {
                throw LineProblem(detail: "\(word): \(OutcomeExpectation.detail(error))")
            }
        }
        return .target(parsed, expectation)
    }

    /// Removes a comment. `#` starts one after white space; in a target with a port it does so anywhere, because neither a
    /// host nor a port contains it.
    private static func withoutComment(_ text: Substring) -> Substring {
        let isPath = text.lowercased().hasPrefix("unix")
        var previous: Character = " "
        for index in text.indices {
            if text[index] == "#", !isPath || previous.isBlank { return text[..<index] }
            previous = text[index]
        }
        return text
    }

    private static func target(_ text: Substring) throws(LineProblem) -> Target {
        do throws(TargetError) {
            return try Target(parsing: String(text))
        } catch {
            throw LineProblem(detail: "target \"\(TerminalText.clean(String(text)))\": \(error.detail)")
        }
    }

    private static func json(_ text: Substring) throws(LineProblem) -> JSONValue {
        do throws(JSONSyntaxError) {
            return try JSONValue.parse(Array(withoutTrailingComment(text).utf8), limits: JSONLimits(values: 16_384))
        } catch {
            throw LineProblem(detail: "is not a JSON request: column \(error.column): \(error.detail)")
        }
    }

    private static func withoutTrailingComment(_ text: Substring) -> Substring {
        guard let end = text.lastIndex(of: "}") else { return text }
        let rest = text[text.index(after: end)...].trimmingBlanks
        return rest.hasPrefix("#") ? text[...end] : text
    }

    /// The lines of a file, or of standard input for `-`. Drops a byte order mark, and accepts LF, CRLF and CR.
    private static func lines(of name: String) throws -> [Substring] {
        var bytes: [UInt8]
        do throws(Errno) {
            if name == "-" {
                bytes = try FileContents.read(STDIN_FILENO)
            } else {
                let descriptor = try Descriptor.openForReading(Array(name.utf8))
                bytes = try FileContents.read(descriptor.rawValue)
            }
        } catch {
            throw ValidationError("cannot read \(name): \(ErrnoCatalogue.message(of: error))")
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw ValidationError("\(name) is UTF-16: save it as UTF-8")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        return String(decoding: bytes, as: UTF8.self)
            .split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }
}

extension Character {
    fileprivate var isBlank: Bool { self == " " || self == "\t" || self == "\u{A0}" }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var rest = drop(while: \.isBlank)
        while let last = rest.last, last.isBlank { rest.removeLast() }
        return rest
    }
}
