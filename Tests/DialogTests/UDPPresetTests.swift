import CheckModel
@testable import Dialog
import Testing

@Suite("Presets for UDP")
struct UDPPresetTests {
    @Test("compile to dialogs with one question and one answer", arguments: UDPPreset.allCases)
    func form(preset: UDPPreset) throws {
        let steps = preset.steps
        _ = try Dialog(steps: steps)
        #expect(steps.count == 2)
        guard case .sendBytes(let question) = steps[0], case .expect = steps[1] else {
            Issue.record("\(steps)")
            return
        }
        #expect(question.count <= 1200)
        #expect(preset.steps != steps, "each question has numbers of its own")
    }

    @Test(
        "ask what the protocol has",
        arguments: [
            (UDPPreset.dns, 17, "0100000100000000000000000200 01"), (.ntp, 48, ""), (.stun, 20, "000100002112a442"),
            (.snmp, 61, "303b020103"), (.ike, 376, ""), (.quic, 1200, "c01a2a3a4a08"),
        ] as [(UDPPreset, Int, String)])
    func questions(preset: UDPPreset, count: Int, part: String) {
        guard case .sendBytes(let question) = preset.steps[0] else { return }
        #expect(question.count == count)
        let hex = question.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(part.isEmpty || hex.contains(part.filter { $0 != " " }), "\(hex)")
    }
}
