internal import CheckModel
internal import NetworkTypes

/// RFC 8489: a Binding request. The answer is a success or an error response.
struct STUNQuestion: PresetQuestion {
    let bytes: [UInt8]
    /// The magic cookie and the transaction ID: an IPv6 address is encoded with all of it, an IPv4 address with the cookie.
    private let transaction: ArraySlice<UInt8>

    private static let success: UInt16 = 0x0101
    private static let failure: UInt16 = 0x0111

    init(using generator: inout some RandomNumberGenerator) {
        let cookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]
        bytes = [0, 1, 0, 0] + cookie + generator.bytes(12)
        transaction = bytes.suffix(16)
    }

    func content(of datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer.Content {
        var reader = ByteReader(datagram)
        let type = try reader.uint16()
        guard type == Self.success || type == Self.failure else {
            throw AnswerFlaw("is not a response to a Binding request")
        }
        let length = Int(try reader.uint16())
        guard try reader.bytes(16) == transaction else { throw AnswerFlaw("has another transaction ID") }
        guard length == reader.rest.count else {
            throw length > reader.rest.count ? AnswerFlaw.cutOff : .hasRest
        }
        var attributes = Attributes(mask: transaction)
        while !reader.isAtEnd { try attributes.read(&reader) }
        let answer = attributes.answer
        guard (type == Self.failure) == (answer.errorCode != nil) else {
            throw AnswerFlaw("has a type that contradicts its error code")
        }
        return .stun(answer)
    }
}

/// The attributes of a response. The first of each type counts, RFC 8489, section 14.
private struct Attributes {
    /// What an address is combined with by an exclusive or.
    let mask: ArraySlice<UInt8>
    private var mapped: IPEndpoint?
    private var xorMapped: IPEndpoint?
    private var software: [UInt8]?
    private var error: (code: Int, reason: [UInt8])?

    private static let longestText = 763
    private static let noMask = [UInt8](repeating: 0, count: 16)[...]

    private enum AttributeType {
        static let mappedAddress: UInt16 = 0x0001
        static let errorCode: UInt16 = 0x0009
        static let xorMappedAddress: UInt16 = 0x0020
        static let software: UInt16 = 0x8022
    }

    init(mask: ArraySlice<UInt8>) {
        self.mask = mask
    }

    /// Routers on the way may change the plain address, so the other one is preferred.
    var answer: STUNAnswer {
        STUNAnswer(
            mappedAddress: xorMapped ?? mapped, software: software, errorCode: error?.code, reason: error?.reason)
    }

    /// Reads one attribute.
    mutating func read(_ reader: inout ByteReader) throws(AnswerFlaw) {
        let type = try reader.uint16()
        let length = Int(try reader.uint16())
        let value = try reader.bytes(length)
        try reader.skip((4 - length % 4) % 4)
        switch type {
        case AttributeType.xorMappedAddress where xorMapped == nil: xorMapped = try Self.endpoint(value, mask: mask)
        case AttributeType.mappedAddress where mapped == nil: mapped = try Self.endpoint(value, mask: Self.noMask)
        case AttributeType.software where software == nil: software = Array(value.prefix(Self.longestText))
        case AttributeType.errorCode where error == nil: error = try Self.errorCode(value)
        case _: break
        }
    }

    private static func endpoint(_ value: ArraySlice<UInt8>, mask: ArraySlice<UInt8>) throws(AnswerFlaw) -> IPEndpoint {
        var reader = ByteReader(value)
        try reader.skip(1)
        let family = try reader.byte()
        var maskReader = ByteReader(mask)
        let port = try reader.uint16() ^ maskReader.uint16()
        let bits = zip(reader.rest, mask).reduce(UInt128(0)) { $0 << 8 | UInt128($1.0 ^ $1.1) }
        switch (family, reader.rest.count) {
        case (1, 4): return IPEndpoint(address: .v4(IPv4Address(bits: UInt32(bits))), port: port)
        case (2, 16): return IPEndpoint(address: .v6(IPv6Address(bits: bits)), port: port)
        case _: throw AnswerFlaw("has a malformed address")
        }
    }

    private static func errorCode(_ value: ArraySlice<UInt8>) throws(AnswerFlaw) -> (code: Int, reason: [UInt8]) {
        var reader = ByteReader(value)
        try reader.skip(2)
        let hundreds = Int(try reader.byte() & 7)
        let rest = Int(try reader.byte())
        guard 3...6 ~= hundreds, rest < 100 else { throw AnswerFlaw("has a malformed error code") }
        return (hundreds * 100 + rest, Array(reader.rest.prefix(longestText)))
    }
}
