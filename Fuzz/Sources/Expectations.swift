internal import NetworkTypes
internal import StrictJSON

/// Ends the process if a property does not hold. Unlike `precondition`, it tells why in an optimized build too.
func expect(
    _ holds: Bool, _ violation: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !holds { fatalError(violation(), file: file, line: line) }
}

/// Requires a text for people: one line of limited length. A client or a peer chooses parts of it.
func expectMessage(_ text: String, atMost limit: Int = 2000, file: StaticString = #fileID, line: UInt = #line) {
    expect(!text.isEmpty, "an empty message", file: file, line: line)
    expect(text.utf8.count <= limit, "a message of \(text.utf8.count) bytes", file: file, line: line)
    expect(!text.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a control character in: \(text)", file: file, line: line)
}

/// Requires that each problem has a message, and a pointer to a place in the document.
func expectPlaces(of problems: [JSONProblem], in document: JSONValue) {
    for problem in problems {
        expectMessage(problem.detail)
        expect(isPointer(problem.pointer), "not a JSON pointer: \(problem.pointer)")
        expect(document.hasPlace(for: problem.pointer), "a pointer to nothing: \(problem.pointer)")
    }
}

/// Whether a text is a JSON pointer (RFC 6901).
func isPointer(_ pointer: String) -> Bool {
    let bytes = Array(pointer.utf8)
    guard bytes.isEmpty || bytes[0] == UInt8(ascii: "/") else { return false }
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "~") {
        guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "0") || bytes[index + 1] == UInt8(ascii: "1")
        else { return false }
    }
    return true
}

extension JSONValue {
    /// Whether a pointer leads to a value, or to a member that an object lacks.
    fileprivate func hasPlace(for pointer: String) -> Bool {
        let tokens = pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        return hasPlace(for: tokens.map(Self.unescaped)[...])
    }

    private func hasPlace(for tokens: ArraySlice<String>) -> Bool {
        guard let token = tokens.first else { return true }
        switch self {
        case .object(let object):
            guard let member = object.member(named: token) else { return !tokens.contains { Int($0) != nil } }
            return member.hasPlace(for: tokens.dropFirst())
        case .array(let items):
            guard let index = Int(token), items.indices.contains(index) else { return false }
            return items[index].hasPlace(for: tokens.dropFirst())
        // `true` may be written instead of an object: its members are missing.
        case .bool: return tokens.count == 1 && Int(token) == nil
        case .null, .integer, .number, .string: return false
        }
    }

    private static func unescaped(_ token: Substring) -> String {
        token.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
    }
}

extension JSONObject {
    /// The value of a member. Pointers shorten a long name, and put `…` at its end.
    fileprivate func member(named token: String) -> JSONValue? {
        if let value = self[token] { return value }
        guard token.hasSuffix("…") else { return nil }
        return members.first { $0.key.utf8.starts(with: token.dropLast().utf8) }?.value
    }
}

/// Reads the fields of an input that is not text. Missing bytes are zero.
struct InputReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func octets(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }

    mutating func port() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }
}
