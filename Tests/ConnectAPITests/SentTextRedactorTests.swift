import CheckModel
@testable import ConnectAPI
import Testing

@Suite struct SentTextRedactorTests {
    private func hidden(_ received: String, sent steps: DialogStep...) -> String {
        String(decoding: SentTextRedactor(of: steps).redacted(Array(received.utf8)), as: UTF8.self)
    }

    @Test func `text that a dialog sends is hidden in the peer's echo`() {
        #expect(hidden("no: PASS hunter2!", sent: .send(text: "PASS hunter2\r\n")) == "no: <secret>!")
        #expect(hidden("PASS hunter2PASS hunter2", sent: .sendBytes(Array("PASS hunter2".utf8))) == "<secret><secret>")
        #expect(hidden("PPASS hunter", sent: .send(text: "PASS hunter2")) == "PPASS hunter")
    }

    @Test func `each line is hidden, the longer one first`() {
        let step = DialogStep.send(text: "USER alice\r\nUSER alice hunter2\r\n")
        #expect(hidden("USER alice hunter2|USER alice", sent: step) == "<secret>|<secret>")
    }

    @Test func `a template is hidden without its groups`() {
        let step = DialogStep.sendExpanded(template: Array("$1 hunter2 ${name}secret$$ $x_1,later".utf8))
        #expect(hidden("a hunter2 b,secret c,later", sent: step) == "a<secret>b,<secret> c<secret>")
        #expect(hidden("hunter2 is here", sent: .send(text: "hunter2 ${1}")) == "<secret>is here")
    }

    @Test func `protocol commands and expected text are not hidden`() {
        #expect(hidden("QUIT 220 ready", sent: .send(text: "QUIT\r\n"), .expect(pattern: "ready")) == "QUIT 220 ready")
    }

    @Test func `a whole report is redacted`() {
        let step = DialogStepReport(
            kind: .expect, ok: true, durationNanoseconds: 0, bytes: 7, received: Array("hunter2".utf8))
        let report = DialogReport(steps: [step], groups: [Label(name: "g", value: "x hunter2")])
        let hidden = SentTextRedactor(of: [.send(text: "hunter2")]).redacted(report)
        #expect(hidden.steps[0].received == Array("<secret>".utf8) && hidden.steps[0].bytes == 7)
        #expect(hidden.groups == [Label(name: "g", value: "x <secret>")])
    }
}
