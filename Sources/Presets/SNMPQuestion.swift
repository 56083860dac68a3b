internal import CheckModel

/// RFC 3414, section 4: discovery of the engine, which SNMPv3 agents answer with a report to anyone.
struct SNMPQuestion: PresetQuestion {
    let bytes: [UInt8]
    private let identifier: Int64

    private enum Tag {
        static let integer: UInt8 = 0x02
        static let octets: UInt8 = 0x04
        static let sequence: UInt8 = 0x30
        static let report: UInt8 = 0xA8
    }

    init(using generator: inout some RandomNumberGenerator) {
        // Positive, and as long as it can be: BER leaves leading zeros out.
        let random = generator.bytes(4)
        let identifier = [random[0] & 0x3F | 0x40] + random.dropFirst()
        let header: [UInt8] = [0x30, 0x11, 0x02, 4] + identifier + [0x02, 3, 0, 0xFF, 0xE3, 0x04, 1, 4, 0x02, 1, 3]
        let security: [UInt8] = [0x04, 0x10, 0x30, 0x0E, 0x04, 0, 0x02, 1, 0, 0x02, 1, 0, 0x04, 0, 0x04, 0, 0x04, 0]
        let request: [UInt8] = [
            0x30, 0x11, 0x04, 0, 0x04, 0, 0xA0, 0x0B, 0x02, 1, 0, 0x02, 1, 0, 0x02, 1, 0, 0x30, 0,
        ]
        bytes = [0x30, 0x3B, 0x02, 1, 3] + header + security + request
        self.identifier = identifier.reduce(0) { $0 << 8 | Int64($1) }
    }

    func content(of datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer.Content {
        var outer = BERReader(datagram)
        var message = try outer.element(Tag.sequence)
        guard outer.isAtEnd else { throw .hasRest }
        guard try message.integer(Tag.integer) == 3 else { throw AnswerFlaw("has another version than SNMPv3") }
        var header = try message.element(Tag.sequence)
        guard try header.integer(Tag.integer) == identifier else { throw AnswerFlaw("has another message ID") }
        _ = try header.integer(Tag.integer)
        let flags = try header.octets(Tag.octets)
        guard flags.count == 1, flags[flags.startIndex] & 2 == 0 else { throw AnswerFlaw("is encrypted") }
        guard try header.integer(Tag.integer) == 3 else { throw AnswerFlaw("has another security model") }
        let answer = try Self.engine(try message.octets(Tag.octets))
        var scoped = try message.element(Tag.sequence)
        guard message.isAtEnd else { throw .hasRest }
        _ = try scoped.octets(Tag.octets)
        _ = try scoped.octets(Tag.octets)
        guard scoped.nextTag == Tag.report else { throw AnswerFlaw("is not a report") }
        return .snmp(answer)
    }

    /// The security parameters of the user-based model.
    private static func engine(_ octets: ArraySlice<UInt8>) throws(AnswerFlaw) -> SNMPAnswer {
        var outer = BERReader(octets)
        var parameters = try outer.element(Tag.sequence)
        let identifier = try parameters.octets(Tag.octets)
        guard 5...32 ~= identifier.count else { throw AnswerFlaw("has an engine ID of \(identifier.count) bytes") }
        let boots = try parameters.integer(Tag.integer)
        let time = try parameters.integer(Tag.integer)
        guard boots >= 0, boots <= Int32.max, time >= 0, time <= Int32.max else {
            throw AnswerFlaw("has an engine time out of range")
        }
        return SNMPAnswer(engineID: Array(identifier), engineBoots: Int(boots), engineTimeSeconds: Int(time))
    }
}
