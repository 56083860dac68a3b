import CheckModel
import NetworkTypes
@testable import Presets
import Testing

@Suite("Questions of presets")
struct PresetQuestionTests {
    @Test(
        "contain what the protocol has",
        arguments: [
            (UDPPreset.dns, 17, "01000001000000000000 0000020001"),
            (.ntp, 48, "23" + String(repeating: "00", count: 39)),
            (.stun, 20, "000100002112a442"), (.snmp, 61, "303b020103"), (.ike, 376, "2120220800000000000001 78"),
            (.quic, 1200, "c01a2a3a4a08"),
        ] as [(UDPPreset, Int, String)])
    func bytes(preset: UDPPreset, count: Int, part: String) {
        let question = preset.question(port: 1).bytes
        #expect(question.count == count)
        let hex = question.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hex.contains(part.filter { $0 != " " }), "\(hex)")
    }

    @Test("have new random numbers each time", arguments: UDPPreset.allCases)
    func isNew(preset: UDPPreset) {
        let questions = Set((0..<100).map { _ in preset.question(port: 1).bytes })
        // Two bytes of random numbers repeat within a hundred questions now and then.
        #expect(questions.count > 95)
    }

    @Test("are not their own answers", arguments: UDPPreset.allCases)
    func echo(preset: UDPPreset) {
        let question = preset.question(port: 1)
        #expect(throws: AnswerFlaw.self) { try question.answer(question.bytes, .example) }
    }

    @Test("accept no answer to another question", arguments: UDPPreset.allCases)
    func other(preset: UDPPreset) throws {
        for _ in 0..<50 {
            let question = preset.question(port: 1)
            let answer = SampleAnswers.answer(to: preset.question(port: 1).bytes, of: preset)
            // Two questions of DNS have the same ID once in 65536 times.
            guard preset != .dns || answer.prefix(2) != question.bytes.prefix(2) else { continue }
            #expect(throws: AnswerFlaw.self) { try question.answer(answer, .example) }
        }
    }

    @Test("accept no answer that is cut off", arguments: UDPPreset.allCases)
    func cutOff(preset: UDPPreset) throws {
        let question = preset.question(port: 1)
        let answer = SampleAnswers.answer(to: question.bytes, of: preset)
        let whole = try question.answer(answer, .example)
        #expect(whole.preset == preset && whole.byteCount == answer.count)
        for count in 0..<answer.count {
            // An answer of QUIC may end after any version, and one of NTP and DNS may have more after it.
            if preset == .quic, count >= 27, (count - 23) % 4 == 0 { continue }
            #expect(throws: AnswerFlaw.self, "\(count) bytes") {
                try question.answer(Array(answer.prefix(count)), .example)
            }
        }
    }

    @Test("survive each wrong byte, and random datagrams", arguments: UDPPreset.allCases)
    func hostile(preset: UDPPreset) {
        var generator = SystemRandomNumberGenerator()
        let question = preset.question(port: 1)
        let answer = SampleAnswers.answer(to: question.bytes, of: preset)
        for index in answer.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0x81, 0x84, 0xC0, 0xFF, .random(in: 0 ... .max)] {
                var wrong = answer
                wrong[index] = value
                check(try? question.answer(wrong, .example), of: wrong)
                wrong = Array(answer.prefix(index)) + generator.bytes(Int.random(in: 0...80))
                check(try? question.answer(wrong, .example), of: wrong)
            }
        }
        for count in [0, 1, 12, 48, 1200, 65535] {
            let noise = generator.bytes(count)
            check(try? question.answer(noise, .example), of: noise)
        }
    }

    /// What is reported of any datagram is bounded by its length.
    private func check(_ answer: PresetAnswer?, of datagram: [UInt8]) {
        switch answer?.content {
        case .dns(let answer): #expect(answer.answerCount * 11 <= datagram.count)
        case .ntp(let answer):
            #expect(answer.rootDelayNanoseconds >= 0 && answer.measurement?.delayNanoseconds ?? 0 >= 0)
        case .stun(let answer): #expect((answer.software?.count ?? 0) + (answer.reason?.count ?? 0) < datagram.count)
        case .snmp(let answer): #expect(5...32 ~= answer.engineID.count && answer.engineTimeSeconds >= 0)
        case .ike(let answer): #expect(answer.notifications.count * 8 + answer.vendorIDs.count * 4 < datagram.count)
        case .quic(let answer): #expect(!answer.versions.isEmpty && answer.versions.count * 4 < datagram.count)
        case nil: break
        }
    }
}

extension ExchangeTimes {
    /// 2026-01-01, and 2 ms.
    static let example = ExchangeTimes(
        sentNanoseconds: 1_767_225_600_000_000_000, receivedNanoseconds: 1_767_225_600_002_000_000)
}

/// Answers as real servers give them.
enum SampleAnswers {
    static func answer(to question: [UInt8], of preset: UDPPreset) -> [UInt8] {
        switch preset {
        case .dns: dns(question)
        case .ntp: ntp(question)
        case .stun: stun(question)
        case .snmp: snmp(question)
        case .ike: ike(question)
        case .quic: quic(question)
        }
    }

    /// One record: `. 3600 IN NS a.`.
    static func dns(_ question: [UInt8], flags: [UInt8] = [0x84, 0x80], count: UInt8 = 1) -> [UInt8] {
        Array(question.prefix(2)) + flags + [0, 1, 0, count, 0, 0, 0, 0] + question.suffix(5)
            + [0, 0, 2, 0, 1, 0, 0, 14, 16, 0, 3, 1, 97, 0]
    }

    /// Stratum 2; received 1 s after the question was sent, and answered 1 ms later.
    static func ntp(_ question: [UInt8], first: UInt8 = 0x24, stratum: UInt8 = 2, reference: [UInt8] = [10, 0, 0, 7])
        -> [UInt8]
    {
        let second = UInt32(1_767_225_601 + 2_208_988_800)
        let seconds = (0..<4).map { UInt8(truncatingIfNeeded: second >> (24 - 8 * $0)) }
        let rest: [UInt8] = [6, 0xE9, 0, 1, 0, 0, 0, 0, 0x80, 0] + reference + [UInt8](repeating: 1, count: 8)
        return [first, stratum] + rest + question.suffix(8) + seconds + [0, 0, 0, 0] + seconds + [0, 0x41, 0x89, 0x37]
    }

    /// 192.0.2.1, port 32853, as in RFC 5769.
    static func stun(_ question: [UInt8]) -> [UInt8] {
        let mapped: [UInt8] = [0, 0x20, 0, 8, 0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43]
        let software: [UInt8] = [0x80, 0x22, 0, 5] + Array("tests".utf8) + [0, 0, 0]
        return [1, 1, 0, UInt8(mapped.count + software.count)] + question[4...] + mapped + software
    }

    static func snmp(_ question: [UInt8], report: UInt8 = 0xA8, engine: [UInt8] = [0x80, 0, 0x1F, 0x88, 4, 97])
        -> [UInt8]
    {
        let header: [UInt8] =
            [0x30, 0x11, 0x02, 4] + question[9..<13] + [0x02, 3, 0, 0xFF, 0xE3, 0x04, 1, 0, 0x02, 1, 3]
        let parameters: [UInt8] =
            [0x04, UInt8(engine.count)] + engine + [0x02, 1, 7, 0x02, 2, 0x01, 0x00, 0x04, 0, 0x04, 0, 0x04, 0]
        let security = [0x04, UInt8(parameters.count + 2), 0x30, UInt8(parameters.count)] + parameters
        let scoped: [UInt8] = [0x30, 0x11, 0x04, 0, 0x04, 0, report, 0x0B, 2, 1, 0, 2, 1, 0, 2, 1, 0, 0x30, 0]
        let content: [UInt8] = [0x02, 1, 3] + header + security + scoped
        return [0x30, 0x81, UInt8(content.count)] + content
    }

    /// - Parameter payloads: each with its type, without the header.
    static func ike(_ question: [UInt8], payloads: [(UInt8, [UInt8])] = [(41, [0, 0, 0, 14])]) -> [UInt8] {
        var body: [UInt8] = []
        for (index, payload) in payloads.enumerated() {
            let next = index + 1 < payloads.count ? payloads[index + 1].0 : 0
            body += [next, 0, UInt8((payload.1.count + 4) >> 8), UInt8((payload.1.count + 4) & 0xFF)] + payload.1
        }
        let length = body.count + 28
        return Array(question.prefix(8)) + [
            1, 2, 3, 4, 5, 6, 7, 8, payloads.first?.0 ?? 0, 0x20, 34, 0x20, 0, 0, 0, 0, 0, 0,
        ]
            + [UInt8(length >> 8), UInt8(length & 0xFF)] + body
    }

    static func quic(_ question: [UInt8], versions: [UInt8] = [0, 0, 0, 1, 0x6B, 0x33, 0x43, 0xCF]) -> [UInt8] {
        [0xCA, 0, 0, 0, 0] + question[14..<23] + question[5..<14] + versions
    }
}
