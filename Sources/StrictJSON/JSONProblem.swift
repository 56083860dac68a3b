/// A problem in a document whose grammar is valid.
public struct JSONProblem: Sendable, Equatable {
    /// An RFC 6901 pointer to the member or element; for a missing member, to its place.
    public let pointer: String
    /// What is wrong: a lowercase predicate without a period.
    public let detail: String

    public init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

/// The problems of a document, in the order in which they were found; costs nothing while it is empty.
public struct JSONProblems: Error, Sendable, Equatable {
    /// The number of problems that are kept. A document of 16 MiB could have a million.
    public static let limit = 64

    /// The first `limit` problems.
    public private(set) var problems: [JSONProblem] = []
    /// The number of further problems.
    public private(set) var omittedCount = 0

    public init() {}

    /// Whether there are no problems.
    public var isEmpty: Bool { problems.isEmpty }

    /// Adds a problem; its texts are evaluated only if it is kept.
    mutating func append(_ problem: @autoclosure () -> JSONProblem) {
        if problems.count < Self.limit {
            problems.append(problem())
        } else {
            omittedCount += 1
        }
    }

    /// Adds the problems of the same value.
    public mutating func appendAll(_ others: consuming JSONProblems) {
        for problem in others.problems { append(problem) }
        omittedCount += others.omittedCount
    }

    /// Adds the problems of a nested value. Pointers are extended only here, so valid documents do not pay for them.
    public mutating func append(_ nested: consuming JSONProblems, under token: @autoclosure () -> JSONPointerToken) {
        if nested.isEmpty { return }
        let prefix = token().escaped
        for problem in nested.problems {
            append(JSONProblem(pointer: prefix + problem.pointer, detail: problem.detail))
        }
        omittedCount += nested.omittedCount
    }
}

/// A reference token of a JSON pointer (RFC 6901 section 3): a member's name or an element's index.
public enum JSONPointerToken: Sendable {
    case member(String)
    case element(Int)

    /// The most bytes of a name in a pointer. No valid member has a longer name, and a client must not choose how long the
    /// answer is.
    private static let longestName = 128

    /// The token with its leading slash, `~` as `~0` and `/` as `~1`. A long name ends with `…`.
    public var escaped: String {
        switch self {
        case .element(let index):
            return "/\(index)"
        case .member(let name):
            var escaped: [UInt8] = [UInt8(ascii: "/")]
            escaped.reserveCapacity(name.utf8.count + 1)
            let name = name.utf8.count > Self.longestName ? Self.excerpt(of: name) : name
            for byte in name.utf8 {
                switch byte {
                case UInt8(ascii: "~"): escaped += [UInt8(ascii: "~"), UInt8(ascii: "0")]
                case UInt8(ascii: "/"): escaped += [UInt8(ascii: "~"), UInt8(ascii: "1")]
                case _: escaped.append(byte)
                }
            }
            return String(decoding: escaped, as: UTF8.self)
        }
    }

    /// The beginning of a name, without a part of a character at its end.
    private static func excerpt(of name: String) -> String {
        let bytes = name.utf8
        var end = bytes.index(bytes.startIndex, offsetBy: longestName)
        while bytes[end] & 0b1100_0000 == 0b1000_0000 { end = bytes.index(before: end) }
        return String(name[..<end]) + "…"
    }
}

/// Why a text is not an accepted JSON document, and where.
public struct JSONSyntaxError: Error, Sendable, Equatable {
    /// An RFC 6901 pointer to the innermost value that contains the error; for a duplicate name, to the second one.
    public let pointer: String
    /// The offset of the error in bytes, from 0 to the size of the text.
    public let offset: Int
    /// The line, from 1; lines end in LF.
    public let line: Int
    /// The column, from 1, counted in Unicode scalars.
    public let column: Int
    /// What is wrong, as a phrase without a period.
    public let detail: String
    public let kind: Kind

    public enum Kind: Sendable, Equatable {
        /// The text is not JSON by RFC 8259.
        case grammar
        /// The text is JSON, but an object has two members of one name. RFC 8259 only advises against that.
        case duplicateName
        /// The text is JSON up to here, but exceeds the depth, the number of values, or the range of a double.
        case limit
    }

    /// The kind as a predicate, such as "is not valid JSON".
    public var predicate: String {
        switch kind {
        case .grammar: "is not valid JSON"
        case .duplicateName: "has a duplicate member"
        case .limit: "exceeds a limit"
        }
    }
}

extension JSONSyntaxError: CustomStringConvertible {
    public var description: String {
        "line \(line), column \(column): \(detail)"
    }
}

extension JSONSyntaxError {
    /// Completes a failure of the parser. Reads the text up to the error once, to count lines.
    init(_ failure: JSONFailure, in bytes: Span<UInt8>) {
        var line = 1
        var column = 1
        for index in 0..<failure.offset {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0b1100_0000 != 0b1000_0000 {
                column += 1
            }
        }
        self.init(
            pointer: failure.tokens.reversed().map(\.escaped).joined(), offset: failure.offset, line: line,
            column: column, detail: failure.detail, kind: failure.kind)
    }
}

/// A syntax error while it leaves the parser. Each container adds its own token, so that valid documents do not pay for
/// pointers.
struct JSONFailure: Error {
    let offset: Int
    let detail: String
    let kind: JSONSyntaxError.Kind
    /// From the innermost outwards.
    private(set) var tokens: [JSONPointerToken] = []

    init(offset: Int, detail: String, kind: JSONSyntaxError.Kind = .grammar) {
        self.offset = offset
        self.detail = detail
        self.kind = kind
    }

    consuming func inside(_ token: JSONPointerToken) -> JSONFailure {
        tokens.append(token)
        return self
    }
}
