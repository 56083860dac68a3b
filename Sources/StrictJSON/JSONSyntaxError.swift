/// Why a text is not a JSON document that the service accepts, and where.
public struct JSONSyntaxError: Error, Sendable, Equatable {
    /// An RFC 6901 pointer to the innermost value in which it happened; for a name that occurs twice, to the second.
    public let pointer: String
    /// Bytes before the place, from 0 to the size of the text.
    public let offset: Int
    /// The line, from 1; lines end in LF.
    public let line: Int
    /// The column, from 1, counted in Unicode scalars.
    public let column: Int
    /// What is wrong, a sentence without its full stop.
    public let detail: String
}

extension JSONSyntaxError: CustomStringConvertible {
    public var description: String {
        "line \(line), column \(column): \(detail)"
    }
}

extension JSONSyntaxError {
    /// Completes what the parser threw; reads the text up to the place once, to count lines.
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
            column: column, detail: failure.detail)
    }
}

/// A syntax error on its way out of the parser: each container that it leaves adds its own token, so that a document
/// without errors pays nothing for pointers.
struct JSONFailure: Error {
    let offset: Int
    let detail: String
    /// From the innermost outwards.
    private(set) var tokens: [JSONPointerToken] = []

    init(offset: Int, detail: String) {
        self.offset = offset
        self.detail = detail
    }

    consuming func inside(_ token: JSONPointerToken) -> JSONFailure {
        tokens.append(token)
        return self
    }
}
