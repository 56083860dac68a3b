@testable import DNS
import ErrorCatalogue
import NetworkTypes
import Testing

/// One message, and the answer that the reader finds for one question.
@Suite struct AnswerReaderTests {
    private static func query(_ name: String = "www.test") throws -> DNSQuery {
        let bytes = try #require(QueryMessage(name: name, type: .a, identifier: 7)).bytes
        return try #require(DNSQuery(Array(bytes.dropFirst(2)), isTCP: false))
    }

    private static func judge(
        _ message: [UInt8], name: String = "www.test", isTCP: Bool = false
    ) -> AnswerVerdict {
        AnswerReader.judge(message, name: name, type: .a, isTCP: isTCP)
    }

    @Test func aLackOfMemorySaysNothingAboutTheServer() {
        let outOfMemory: Int32 = 15  // ARES_ENOMEM
        let verdict = AnswerVerdict.of(status: outOfMemory, message: [], name: "www.test", type: .a)
        #expect(verdict == .result(.failure(.shortage(.outOfMemory))))
    }

    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(parsing: text)) }

    private static func answer() throws -> ServerAnswer { ServerAnswer(addresses: [try address("192.0.2.1")]) }

    private static let chain: [DNSRecord] = [
        .cname("www.test", "edge.example"), .cname("edge.example", "node.example"), .a("node.example", "192.0.2.1"),
    ]

    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func aCNAMEChainIsFollowedInAnyOrder(order: [Int]) throws {
        let verdict = Self.judge(try Self.query().reply(order.map { Self.chain[$0] }))
        let expected = ServerAnswer(
            addresses: [try Self.address("192.0.2.1")], names: ["edge.example", "node.example"],
            canonicalName: "node.example")
        #expect(verdict == .result(.success(expected)))
    }

    @Test func recordsOfOtherNamesAreIgnored() throws {
        let others: [DNSRecord] = [
            .a("other.example", "192.0.2.66"), .cname("other.example", "www.test"), .aaaa("www.test", "2001:db8::1"),
        ]
        let verdict = Self.judge(try Self.query().reply(others + Self.chain.reversed()))
        guard case .result(.success(let answer)) = verdict else { throw Unexpected(verdict: verdict) }
        let expected = [try Self.address("192.0.2.1")]
        #expect(answer.addresses == expected)
        #expect(!answer.names.contains("other.example"))
        try #expect(Self.judge(Self.query().reply(others)) == .result(.failure(.noData)))
    }

    struct Unexpected: Error { let verdict: AnswerVerdict }

    @Test(arguments: [1, 16, 300])
    func aCNAMEChainMayFillTheMessage(length: Int) throws {
        let names = ["www.test"] + (1...length).map { "n\($0).test" }
        let aliases = zip(names, names.dropFirst()).map { DNSRecord.cname($0, $1) }
        let message = try Self.query().reply((aliases + [.a("n\(length).test", "192.0.2.1")]).reversed())
        guard case .result(.success(let answer)) = Self.judge(message, isTCP: true) else {
            throw Unexpected(verdict: Self.judge(message, isTCP: true))
        }
        #expect(answer.names == Array(names.dropFirst()))
    }

    @Test func aCNAMELoopIsABadAnswer() throws {
        let circle: [DNSRecord] = [.cname("www.test", "b.test"), .cname("b.test", "www.test")]
        try #expect(Self.judge(Self.query().reply(circle)) == .result(.failure(.badAnswer)))
        let toItself: [DNSRecord] = [.cname("www.test", "WWW.test")]
        try #expect(Self.judge(Self.query().reply(toItself)) == .result(.failure(.badAnswer)))
        try #expect(Self.judge(Self.query().reply([.cname("www.test", "b.test")])) == .result(.failure(.noData)))
    }

    @Test func namesAreComparedCaseInsensitively() throws {
        let verdict = Self.judge(try Self.query("www.test").reply([.a("WwW.TEST", "192.0.2.1")]))
        let answer = try Self.answer()
        #expect(verdict == .result(.success(answer)))
    }

    @Test func aQuestionIsNotAnAnswer() throws {
        for isTCP in [false, true] {
            try #expect(Self.judge(Self.query().bytes, isTCP: isTCP) == .result(.failure(.badAnswer)))
        }
    }

    @Test(arguments: [1, 2, 4, 5, 15] as [UInt8])
    func anAnswerOfAnotherKindIsABadAnswer(opcode: UInt8) throws {
        let message = try Self.query().reply(opcode: opcode, [.a("www.test", "192.0.2.1")])
        #expect(Self.judge(message) == .result(.failure(.badAnswer)))
    }

    @Test func truncationIsReportedForUDPOnly() throws {
        let message = try Self.query().reply(isTruncated: true, [.a("www.test", "192.0.2.1")])
        #expect(Self.judge(message) == .truncated)
        #expect(Self.judge(message, isTCP: true) == .result(.failure(.badAnswer)))
    }

    @Test func anAnswerCutOffInItsRecordsIsTruncated() throws {
        let message = try Self.query().reply((1...60).map { DNSRecord.a("www.test", "192.0.2.\($0)") })
        #expect(Self.judge(Array(message.prefix(512))) == .truncated)
        #expect(Self.judge(Array(message.prefix(511))) == .result(.failure(.badAnswer)))
        #expect(Self.judge(Array(message.prefix(512)), isTCP: true) == .result(.failure(.badAnswer)))
    }

    @Test(
        arguments: [
            (1, ResolveFailure.formatError), (2, .serverFailure), (3, .nxdomain), (4, .notImplemented), (5, .refused),
            (6, .responseCode(6)), (10, .responseCode(10)), (12, .responseCode(12)),
        ] as [(UInt8, ResolveFailure)])
    func aResponseCodeIsReadWithoutAQuestion(code: UInt8, failure: ResolveFailure) throws {
        try #expect(Self.judge(Self.query().reply(code: code)) == .result(.failure(failure)))
        var header = Array(try Self.query().reply(code: code).prefix(12))
        header[5] = 0
        #expect(Self.judge(header, isTCP: true) == .result(.failure(failure)))
    }

    @Test func theUpperBitsOfAResponseCodeAreRead() throws {
        let message = try Self.query().reply(additional: [.opt(upperCode: 1)])
        #expect(Self.judge(message) == .result(.failure(.responseCode(16))))
        let plain = try Self.query().reply([.a("www.test", "192.0.2.1")], additional: [.opt(upperCode: 0)])
        let answer = try Self.answer()
        #expect(Self.judge(plain) == .result(.success(answer)))
    }

    @Test func anEmptyAnswerIsNoData() throws {
        try #expect(Self.judge(Self.query().reply()) == .result(.failure(.noData)))
        try #expect(Self.judge(Self.query().reply(), isTCP: true) == .result(.failure(.noData)))
    }

    @Test func bytesAfterTheAnswerSectionAreIgnored() throws {
        let message = try Self.query().reply([.a("www.test", "192.0.2.1")]) + [1, 2, 3]
        let answer = try Self.answer()
        #expect(Self.judge(message) == .result(.success(answer)))
    }

    @Test func prefixesAndChangedBytesDoNotCrashTheReader() throws {
        let message = try Self.query().reply(Self.chain, additional: [.opt(upperCode: 0)])
        for count in 0..<message.count { _ = Self.judge(Array(message.prefix(count)), isTCP: true) }
        for index in message.indices {
            for value in [0, 1, 0x3F, 0xC0, 0xFF] as [UInt8] {
                var changed = message
                changed[index] = value
                _ = Self.judge(changed)
            }
        }
    }

    @Test func aNamePointerForwardOrInALoopIsABadAnswer() throws {
        let query = try Self.query()
        for target in [query.question.count + 12, query.question.count + 40] {
            var message = query.reply()
            message[7] = 1
            message += [0xC0, UInt8(target), 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1]
            #expect(Self.judge(message) == .result(.failure(.badAnswer)))
        }
    }

    @Test func aDotWithinALabelIsNotASeparator() throws {
        var message = try Self.query().reply([.cname("www.test", "evil.test"), .a("evil.test", "192.0.2.1")])
        // "evil.test" in the alias is one label that contains a dot.
        let dotted = Array("\u{4}evil\u{4}test".utf8)
        let at = try #require(message.indices.first { message[$0...].starts(with: dotted) })
        message[at] = 9
        message[at + 5] = UInt8(ascii: ".")
        #expect(Self.judge(message) == .result(.failure(.noData)))
    }
}
