internal import CheckModel
@testable internal import Presets

/// Datagrams as answers to the question of a preset.
enum PresetFuzz {
    /// Makes questions whose random bytes are all `A`, so that the files of the corpus are answers to them.
    private struct ConstantGenerator: RandomNumberGenerator {
        mutating func next() -> UInt64 { 0x4141_4141_4141_4141 }
    }

    /// The first byte chooses the preset; with 128 added, the port is 4500. What is reported fits into the datagram.
    static func run(_ input: [UInt8]) {
        let count = input.count
        guard let first = input.first else { return }
        let presets = UDPPreset.allCases
        var generator = ConstantGenerator()
        let question = presets[Int(first & 127) % presets.count].question(
            port: first < 128 ? 1 : 4500, using: &generator)
        let times = ExchangeTimes(
            sentNanoseconds: 1_767_225_600_000_000_000, receivedNanoseconds: 1_767_225_600_002_000_000)
        guard let answer = try? question.answer(Array(input.dropFirst()), times) else { return }
        expect(answer.byteCount == count - 1, "another length than that of the datagram")
        switch answer.content {
        case .dns(let answer): expect(answer.answerCount * 11 < count, "more records than the message holds")
        case .ntp(let answer):
            expect(answer.measurement?.delayNanoseconds ?? 0 >= 0, "a negative delay")
            expect(1...15 ~= answer.stratum || answer.measurement == nil, "the offset of a clock without a time")
        case .stun(let answer):
            expect((answer.software?.count ?? 0) + (answer.reason?.count ?? 0) < count, "more text than there is")
            expect(300...699 ~= answer.errorCode ?? 300, "an error code out of range")
        case .snmp(let answer):
            expect(5...32 ~= answer.engineID.count && answer.engineID.count < count, "an engine ID of another length")
            expect(answer.engineBoots >= 0 && answer.engineTimeSeconds >= 0, "a negative time")
        case .ike(let answer):
            expect(answer.acceptsProposal || !answer.notifications.isEmpty, "an answer that says nothing")
            expect(
                answer.notifications.count * 8 + answer.vendorIDs.count * 4 < count, "more payloads than there are")
        case .quic(let answer):
            expect(!answer.versions.isEmpty && answer.versions.count * 4 < count, "too many versions")
        }
    }
}
