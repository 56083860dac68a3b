internal import CMicrohttpd

/// Checks all headers that the library has parsed against the memory that it parsed them in.
///
/// The library silently accepts bare LF, folded lines and NULs. It parses the head in place: it replaces each colon
/// with a NUL, and each CR LF with two. So every header must begin where the previous one ended. Anything that the
/// library skipped, joined or cut leaves a gap.
///
/// From version 1.0 on, the library refuses all of these itself. It then keeps the LF at the end of a line. It cuts
/// blanks after a value by writing a NUL over the first one. Only that gap is allowed.
struct HeaderWalk {
    /// Where the next header's name must begin.
    private(set) var position: UnsafePointer<UInt8>
    private(set) var fault: HeadFault?
    private(set) var host: UnsafeBufferPointer<UInt8>?
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var names = HeaderNameFilter()
    /// A bit for each field of `singleFields` that has occurred.
    private var seen = 0

    init(from start: UnsafePointer<UInt8>) {
        position = start
    }

    /// Checks all headers of a connection's current request.
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
            start == position || followsCutBlanks(start),
            isColonAndBlanks(from: start + name.count, to: valueStart)
        else { return .lineEnding }
        guard ASCII.areFieldValue(value) else { return .headerValue }
        position = valueStart + value.count + 2
        names.insert(name)
        return judgeMeaning(name: name, value: value)
    }

    /// Whether the bytes before `start` are only cut blanks and the end of their line.
    private func followsCutBlanks(_ start: UnsafePointer<UInt8>) -> Bool {
        guard start > position, start[-1] == UInt8(ascii: "\n"), start[-2] == UInt8(ascii: "\r") else { return false }
        return UnsafeBufferPointer(start: position - 1, count: start - position - 1).allSatisfy(ASCII.isBlank)
    }

    private func isColonAndBlanks(from start: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>) -> Bool {
        guard end > start, start[0] == 0 else { return false }
        return UnsafeBufferPointer(start: start + 1, count: end - start - 1).allSatisfy(ASCII.isBlank)
    }

    /// Blanks after a length or a transfer coding are legal, but the library would not recognize the value.
    private mutating func judgeMeaning(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) -> HeadFault? {
        // The length alone excludes most fields.
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
        } else if let field = Self.singleFields.firstIndex(where: { Self.equal(name, $0) }) {
            guard seen & 1 << field == 0 else { return .fieldRepeated }
            seen |= 1 << field
        }
        return nil
    }

    /// Fields that may occur only once, because handlers decide by their value. If there were two, the handler would
    /// see the first, and a proxy in front of connectd might see the second.
    private static let singleFields: [StaticString] = ["content-type", "origin", "sec-fetch-site"]

    /// Compares case-insensitively. `text` must be in lower case.
    static func equal(_ bytes: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in bytes.indices.allSatisfy { ASCII.lowercased(bytes[$0]) == text[$0] } }
    }

    /// Parses up to 18 decimal digits; nil for anything else.
    static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64? {
        guard !bytes.isEmpty, bytes.count <= 18, bytes.allSatisfy(ASCII.isDigit) else { return nil }
        return bytes.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
    }

    private static func trimmed(_ bytes: UnsafeBufferPointer<UInt8>) -> Slice<UnsafeBufferPointer<UInt8>> {
        guard let last = bytes.lastIndex(where: { !ASCII.isBlank($0) }) else { return bytes.prefix(0) }
        return bytes[...last]
    }
}

/// SAFETY: `context` is the walk that `run` passes, and is valid during that call. Names and values belong to the
/// library, with their lengths, and are valid for at least as long.
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
