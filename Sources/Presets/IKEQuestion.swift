internal import CheckModel

/// RFC 7296: IKE_SA_INIT with one usual proposal. A refusal is an answer too.
struct IKEQuestion: PresetQuestion {
    let bytes: [UInt8]
    private let spi: ArraySlice<UInt8>
    /// Whether four zero bytes are in front of each message.
    private let hasMarker: Bool

    /// On this port, a marker distinguishes messages of IKE from encrypted packets: RFC 3948, section 2.2.
    static let portWithMarker: UInt16 = 4500

    private static let marker: [UInt8] = [0, 0, 0, 0]
    private static let exchangeType: UInt8 = 34

    init(hasMarker: Bool, using generator: inout some RandomNumberGenerator) {
        // A key of this group is a random number, and no one ever uses this one. Its first bit is 0, so it is below the prime.
        let key = [generator.bytes(1)[0] & 0x7F] + generator.bytes(255)
        let exchange: [UInt8] = [IKEPayload.nonce, 0, 1, 8, 0, 14, 0, 0] + key
        let nonce: [UInt8] = [0, 0, 0, 36] + generator.bytes(32)
        let payloads = IKEProposal.payload + exchange + nonce
        let length = 28 + payloads.count
        let spi = generator.bytes(8)
        let header: [UInt8] =
            spi + [UInt8](repeating: 0, count: 8) + [IKEPayload.association, 0x20, Self.exchangeType, 0x08]
            + [0, 0, 0, 0, 0, 0, UInt8(length >> 8), UInt8(length & 0xFF)]
        bytes = (hasMarker ? Self.marker : []) + header + payloads
        self.spi = spi[...]
        self.hasMarker = hasMarker
    }

    func content(of datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer.Content {
        var reader = ByteReader(datagram)
        if hasMarker, try !reader.bytes(4).elementsEqual(Self.marker) { throw AnswerFlaw("is not a message of IKE") }
        let messageLength = reader.rest.count
        guard try reader.bytes(8) == spi else { throw AnswerFlaw("has another initiator SPI") }
        try reader.skip(8)
        let first = try reader.byte()
        guard try reader.byte() >> 4 == 2 else { throw AnswerFlaw("has another version than IKEv2") }
        guard try reader.byte() == Self.exchangeType else { throw AnswerFlaw("belongs to another exchange") }
        guard try reader.byte() & 0x28 == 0x20 else { throw AnswerFlaw("is not a response") }
        guard try reader.uint32() == 0 else { throw AnswerFlaw("has another message ID") }
        let length = Int(try reader.uint32())
        guard length == messageLength else { throw length > messageLength ? AnswerFlaw.cutOff : .hasRest }
        var payloads = IKEPayloads()
        try payloads.read(&reader, first: first)
        return .ike(try payloads.answer())
    }
}
