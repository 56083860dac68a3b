internal import CMicrohttpd

/// One pass over the headers as the library has parsed them, beside the memory that it parsed them in.
///
/// The library takes bare LF, folded lines and NULs without a word. It leaves the head where it read it, though, with a
/// NUL for each colon and two for each CR LF. So every header has to begin where the one before it ended: whatever it
/// skipped, joined or cut leaves a gap.
///
/// From 1.0 on it refuses all that by itself. It leaves the LF of a line's end then, and cuts blanks behind a value off by a
/// NUL in place of the first: the only gap that there may be.
struct HeaderWalk {
    /// Where the next header's name has to begin.
    private(set) var position: UnsafePointer<UInt8>
    private(set) var fault: HeadFault?
    private(set) var host: UnsafeBufferPointer<UInt8>?
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var names = HeaderNameFilter()
    /// A bit for each of `judgedByItsValue` that has come.
    private var seen = 0

    init(from start: UnsafePointer<UInt8>) {
        position = start
    }

    /// Walks over all headers of a connection's current request.
    mutating func run(over connection: OpaquePointer) {
        MHD_get_connection_values_n(connection, .HEADER_KIND, visitHeader, &self)
    }

    mutating func visit(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
        fault = judge(name: name, value: value)
        return fault == nil
    }

    private mutating func judge(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) -> HeadFault? {
        guard !name.isEmpty, ASCII.tokenLength(name) == name.count else { return .headerName }
        guard let start = name.baseAddress, let valueStart = value.baseAddress,
            start == position || isBehindBlanks(start),
            isColonAndBlanks(from: start + name.count, to: valueStart)
        else { return .lineEnding }
        guard ASCII.areFieldValue(value) else { return .headerValue }
        position = valueStart + value.count + 2
        names.insert(name)
        return judgeMeaning(name: name, value: value)
    }

    /// Whether only blanks that were cut off, and the end of their line, stand before `start`.
    private func isBehindBlanks(_ start: UnsafePointer<UInt8>) -> Bool {
        guard start > position, start[-1] == UInt8(ascii: "\n"), start[-2] == UInt8(ascii: "\r") else { return false }
        return UnsafeBufferPointer(start: position - 1, count: start - position - 1).allSatisfy(ASCII.isBlank)
    }

    private func isColonAndBlanks(from start: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>) -> Bool {
        guard end > start, start[0] == 0 else { return false }
        return UnsafeBufferPointer(start: start + 1, count: end - start - 1).allSatisfy(ASCII.isBlank)
    }

    /// A blank behind a length or a coding is legal, but the library would not know it for what it is.
    private mutating func judgeMeaning(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) -> HeadFault? {
        // Most fields are none of these, which their length tells.
        switch name.count {
        case 4, 6, 12, 14, 17: break
        case _: return nil
        }
        if Self.equal(name, "host") {
            guard host == nil else { return .hostRepeated }
            host = UnsafeBufferPointer(rebasing: Self.trimmed(value))
        } else if Self.equal(name, "content-length") {
            guard contentLength == nil else { return .lengthRepeated }
            guard let count = Self.number(value) else { return .lengthMalformed }
            contentLength = count
        } else if Self.equal(name, "transfer-encoding") {
            guard !isChunked, Self.equal(value, "chunked") else { return .codingUnknown }
            isChunked = true
        } else if let field = Self.judgedByItsValue.firstIndex(where: { Self.equal(name, $0) }) {
            guard seen & 1 << field == 0 else { return .fieldRepeated }
            seen |= 1 << field
        }
        return nil
    }

    /// Fields that stand once, and by whose value handlers judge: of two, the handler would see the first, and whoever stands
    /// in front of us perhaps the second.
    private static let judgedByItsValue: [StaticString] = ["content-type", "origin", "sec-fetch-site"]

    /// Compares without regard to case; `text` is in lower case.
    static func equal(_ bytes: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in bytes.indices.allSatisfy { ASCII.lowercased(bytes[$0]) == text[$0] } }
    }

    /// Digits only, and no more than fit.
    static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64? {
        guard !bytes.isEmpty, bytes.count <= 18, bytes.allSatisfy(ASCII.isDigit) else { return nil }
        return bytes.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
    }

    private static func trimmed(_ bytes: UnsafeBufferPointer<UInt8>) -> Slice<UnsafeBufferPointer<UInt8>> {
        guard let last = bytes.lastIndex(where: { !ASCII.isBlank($0) }) else { return bytes.prefix(0) }
        return bytes[...last]
    }
}

/// SAFETY: `context` is the walk that `run` passes, for the time of that call; names and values are the library's, with
/// their lengths, for at least as long.
private func visitHeader(
    _ context: UnsafeMutableRawPointer?, _: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameLength: Int,
    _ value: UnsafePointer<CChar>?, _ valueLength: Int
) -> MHD_Result {
    guard let context, let name, let value else { return .NO }
    let walk = context.assumingMemoryBound(to: HeaderWalk.self)
    return walk.pointee.visit(name: bytes(name, nameLength), value: bytes(value, valueLength)) ? .YES : .NO
}

private func bytes(_ start: UnsafePointer<CChar>, _ count: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeRawBufferPointer(start: start, count: count).assumingMemoryBound(to: UInt8.self)
}
