internal import CheckModel

/// RFC 9000, section 6: a packet of 1200 bytes with a reserved version. The answer is Version Negotiation.
struct QUICQuestion: PresetQuestion {
    let bytes: [UInt8]
    /// The connection IDs of the answer, each with its length: those of the question, exchanged.
    private let connectionIDs: [UInt8]

    /// A version of the form 0x?a?a?a?a, which no server speaks.
    private static let version: UInt32 = 0x1A2A_3A4A
    private static let mostVersions = 64

    init(using generator: inout some RandomNumberGenerator) {
        let destination = [8] + generator.bytes(8)
        let source = [8] + generator.bytes(8)
        let header = [0xC0, 0x1A, 0x2A, 0x3A, 0x4A] + destination + source
        bytes = header + [UInt8](repeating: 0, count: 1200 - header.count)
        connectionIDs = source + destination
    }

    func content(of datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer.Content {
        var reader = ByteReader(datagram)
        guard try reader.byte() & 0x80 != 0 else { throw AnswerFlaw("does not have a long header") }
        guard try reader.uint32() == 0 else { throw AnswerFlaw("is not a Version Negotiation packet") }
        guard try reader.bytes(connectionIDs.count).elementsEqual(connectionIDs) else {
            throw AnswerFlaw("has other connection IDs")
        }
        guard !reader.isAtEnd else { throw AnswerFlaw("offers no version") }
        var versions: [UInt32] = []
        while !reader.isAtEnd {
            let version = try reader.uint32()
            // RFC 9000, section 6.2: such a packet must be discarded.
            guard version != Self.version else { throw AnswerFlaw("offers the version that it refuses") }
            if versions.count < Self.mostVersions { versions.append(version) }
        }
        return .quic(QUICAnswer(versions: versions))
    }
}
