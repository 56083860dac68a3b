import CheckModel
import ConnectAPI
import NetworkTypes
import StrictJSON

/// One argument or one line of `--file`, split into its parts.
struct TargetLine {
    enum Kind: UInt8 {
        /// A target with a port or a path.
        case target
        /// A host without a port, for `--ports`.
        case host
        /// A CIDR, for `--expand`: with ports as in `10.0.0.0/28:443`, or for `--ports`.
        case network
        /// The JSON of a request.
        case request
    }

    /// Why a line is invalid: a text with the faulty part, without a period.
    struct Problem: Error {
        let detail: String
    }

    let kind: Kind
    let text: String
    /// The expectation of `expect=`; nil for none.
    var expectation: Expectation?

    /// Reads an argument: one target, host or CIDR.
    init(argument: String) {
        text = argument
        kind = Self.kind(of: Substring(argument))
    }

    /// Reads `target [expect=OUTCOME] [# comment]`, or a request in JSON.
    /// - Returns: nil for a blank line or a comment.
    init?(line bytes: ArraySlice<UInt8>) throws(Problem) {
        let line = Substring(String(decoding: bytes, as: UTF8.self)).trimmingBlanks
        if line.unicodeScalars.isEmpty || line.utf8.first == UInt8(ascii: "#") { return nil }
        if line.utf8.first == UInt8(ascii: "{") {
            kind = .request
            text = String(Self.withoutTrailingComment(line))
            return
        }
        let words = Self.withoutComment(line).unicodeScalars.split(whereSeparator: \.isBlank).map(Substring.init)
        // A line that is not blank and does not begin with "#" has a first word.
        guard let first = words.first else { throw Problem(detail: "is empty") }
        kind = Self.kind(of: first)
        text = String(first)
        for word in words.dropFirst() {
            guard word.hasPrefix("expect="), expectation == nil else { throw Self.surplus(word, after: first) }
            do {
                expectation = try OutcomeExpectation.parse(String(word.dropFirst("expect=".count)))
            } catch {
                throw Problem(detail: "\(TerminalText.excerpt(String(word))): \(OutcomeExpectation.detail(error))")
            }
        }
    }

    private static func surplus(_ word: Substring, after target: Substring) -> Problem {
        Problem(
            detail: """
                "\(TerminalText.excerpt(String(word)))" follows the target "\(TerminalText.excerpt(String(target)))": write \
                one target per line, then expect=OUTCOME or # and a comment
                """)
    }

    /// Removes a comment. `#` starts one after white space; in a target with a port it does so anywhere, because neither a
    /// host nor a port contains it.
    private static func withoutComment(_ text: Substring) -> Substring {
        guard text.utf8.contains(UInt8(ascii: "#")) else { return text }
        let isPath = text.lowercased().hasPrefix("unix")
        var previous: Unicode.Scalar = " "
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            if scalar == "#", !isPath || previous.isBlank { return text[..<index] }
            previous = scalar
        }
        return text
    }

    private static func withoutTrailingComment(_ text: Substring) -> Substring {
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: "}")) else { return text }
        let rest = text[text.utf8.index(after: end)...].trimmingBlanks
        return rest.utf8.first == UInt8(ascii: "#") ? text[...end] : text
    }

    /// Whether the text lacks a port. `Target` judges everything else.
    private static func kind(of text: Substring) -> Kind {
        let hasSlash = text.utf8.contains(UInt8(ascii: "/"))
        if IPAddress(parsing: text.prefix { $0 != "/" }) != nil { return hasSlash ? .network : .host }
        if text.hasPrefix("["), text.hasSuffix("]") { return .host }
        let hasColon = text.utf8.contains(UInt8(ascii: ":"))
        return hasColon || hasSlash ? .target : .host
    }
}

extension Unicode.Scalar {
    fileprivate var isBlank: Bool { self == " " || self == "\t" || self == "\u{A0}" }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        let start = unicodeScalars.drop(while: \.isBlank)
        var end = start.endIndex
        while end > start.startIndex, start[start.index(before: end)].isBlank { end = start.index(before: end) }
        return Substring(start[..<end])
    }
}
