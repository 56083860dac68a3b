/// Reads the elements of BER (X.690) with definite lengths: tag, length, content.
struct BERReader {
    private var reader: ByteReader

    init(_ bytes: [UInt8]) {
        reader = ByteReader(bytes)
    }

    init(_ bytes: ArraySlice<UInt8>) {
        reader = ByteReader(bytes)
    }

    var isAtEnd: Bool { reader.isAtEnd }
    /// nil at the end.
    var nextTag: UInt8? { reader.rest.first }

    /// Returns a reader of the next element's content.
    mutating func element(_ tag: UInt8) throws(AnswerFlaw) -> BERReader { BERReader(try octets(tag)) }

    /// Returns the next element's content.
    mutating func octets(_ tag: UInt8) throws(AnswerFlaw) -> ArraySlice<UInt8> {
        guard try reader.byte() == tag else { throw AnswerFlaw("is not an SNMPv3 message") }
        return try reader.bytes(try length())
    }

    /// An integer of at most 8 bytes.
    mutating func integer(_ tag: UInt8) throws(AnswerFlaw) -> Int64 {
        let bytes = try octets(tag)
        guard let first = bytes.first, bytes.count <= 8 else { throw AnswerFlaw("has a malformed integer") }
        return bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
    }

    /// Below 128 in one byte; otherwise 1 … 3 bytes, after one that counts them. No datagram needs more.
    private mutating func length() throws(AnswerFlaw) -> Int {
        let first = try reader.byte()
        guard first >= 0x80 else { return Int(first) }
        guard 0x81...0x83 ~= first else { throw AnswerFlaw("has a malformed length") }
        return try reader.bytes(Int(first & 0x7F)).reduce(0) { $0 << 8 | Int($1) }
    }
}
