internal import CheckModel

/// RFC 1035: the name servers of the root, which any server can answer or refuse.
struct DNSQuestion: PresetQuestion {
    let bytes: [UInt8]
    private let identifier: ArraySlice<UInt8>

    /// The root, NS, IN.
    private static let question: [UInt8] = [0, 0, 2, 0, 1]

    init(using generator: inout some RandomNumberGenerator) {
        let recursionDesired: [UInt8] = [0x01, 0]
        let counts: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0]
        bytes = generator.bytes(2) + recursionDesired + counts + Self.question
        identifier = bytes.prefix(2)
    }

    func content(of datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer.Content {
        var reader = ByteReader(datagram)
        guard try reader.bytes(2) == identifier else { throw AnswerFlaw("has another query ID") }
        let flags = try reader.uint16()
        guard flags & 0x8000 != 0 else { throw AnswerFlaw("is a query, not a response") }
        guard flags >> 11 & 0xF == 0 else { throw AnswerFlaw("has another opcode") }
        let responseCode = UInt8(flags & 0xF)
        let questionCount = try reader.uint16()
        let answerCount = Int(try reader.uint16())
        try reader.skip(4)
        try Self.skipQuestion(&reader, count: questionCount, responseCode)
        let isTruncated = flags & 0x0200 != 0
        let found = try Self.skipRecords(&reader, count: answerCount, isTruncated: isTruncated)
        return .dns(
            DNSAnswer(
                responseCode: responseCode, isAuthoritative: flags & 0x0400 != 0, isTruncated: isTruncated,
                isRecursionAvailable: flags & 0x0080 != 0, answerCount: found))
    }

    /// Servers that refuse or cannot read a query may leave its question out.
    private static func skipQuestion(
        _ reader: inout ByteReader, count: UInt16, _ responseCode: UInt8
    ) throws(AnswerFlaw) {
        if count == 0, responseCode != 0 { return }
        guard count == 1, try reader.bytes(question.count).elementsEqual(question) else {
            throw AnswerFlaw("repeats another question")
        }
    }

    /// - Returns: how many records there are. A truncated response may have fewer than its header says.
    private static func skipRecords(
        _ reader: inout ByteReader, count: Int, isTruncated: Bool
    ) throws(AnswerFlaw) -> Int {
        for found in 0..<count {
            do throws(AnswerFlaw) {
                try skipRecord(&reader)
            } catch {
                guard isTruncated, error == .cutOff else { throw error }
                return found
            }
        }
        return count
    }

    private static func skipRecord(_ reader: inout ByteReader) throws(AnswerFlaw) {
        try skipName(&reader)
        // The type, the class and the TTL.
        try reader.skip(8)
        try reader.skip(Int(try reader.uint16()))
    }

    /// Skips a name: labels, and a pointer to an earlier one or an empty label at the end.
    private static func skipName(_ reader: inout ByteReader) throws(AnswerFlaw) {
        while true {
            let length = try reader.byte()
            switch length {
            case 0: return
            case 1...63: try reader.skip(Int(length))
            case 0xC0...: return try reader.skip(1)
            case _: throw AnswerFlaw("has a malformed name")
            }
        }
    }
}
