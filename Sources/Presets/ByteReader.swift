/// Reads the bytes of a datagram in order, and never beyond their end.
struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() throws(AnswerFlaw) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .cutOff }
        return byte
    }

    mutating func bytes(_ count: Int) throws(AnswerFlaw) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else { throw .cutOff }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func skip(_ count: Int) throws(AnswerFlaw) {
        _ = try bytes(count)
    }

    mutating func uint16() throws(AnswerFlaw) -> UInt16 {
        UInt16(truncatingIfNeeded: try number(ofBytes: 2))
    }

    mutating func uint32() throws(AnswerFlaw) -> UInt32 {
        UInt32(truncatingIfNeeded: try number(ofBytes: 4))
    }

    mutating func uint64() throws(AnswerFlaw) -> UInt64 {
        try number(ofBytes: 8)
    }

    /// An unsigned number in network byte order.
    private mutating func number(ofBytes count: Int) throws(AnswerFlaw) -> UInt64 {
        try bytes(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
