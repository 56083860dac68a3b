import Diagnosis
import Testing
@testable import connectd

@Suite("The text of a diagnosis")
struct DiagnoseTextTests {
    private func report(_ verdict: DiagnosisVerdict, sentence: String = "a:1 is silent.") -> DiagnosisReport {
        DiagnosisReport(
            verdict: verdict, sentence: sentence, confidence: .possible, causes: [.targetDown],
            findings: [
                Finding(sign: .noAnswer, supports: .unknown, observation: "No answer.", evidence: ["port": .integer(7)])
            ],
            ruledOut: [
                RuledOutCause(cause: .serviceDown, because: "No answer."),
                RuledOutCause(cause: .noRoute, because: "No answer."),
                RuledOutCause(cause: .proberOffline, because: "The control target answers."),
            ],
            next: [NextCommand("ss -tln", on: .target, "shows listeners")])
    }

    @Test("begins with the sentence, and joins causes that are ruled out for the same reason")
    func sections() {
        #expect(
            DiagnoseText(palette: .plain).text(report(.unknown)) == """
                a:1 is silent.
                  verdict: unknown, possible
                  findings:
                    - No answer. [port=7]
                  ruled out:
                    - service down, no route: No answer.
                    - prober offline: The control target answers.
                  next:
                    - on the target: ss -tln   # shows listeners
                """)
    }

    @Test("colors the sentence by its verdict")
    func colors() {
        let palette = Palette(.always, isTerminal: false, environment: [:])
        #expect(DiagnoseText(palette: palette).text(report(.ok)).hasPrefix("\u{1B}[32ma:1"))
        #expect(DiagnoseText(palette: palette).text(report(.target)).hasPrefix("\u{1B}[1;31ma:1"))
        #expect(DiagnoseText(palette: palette).text(report(.unknown)).hasPrefix("\u{1B}[33ma:1"))
    }

    @Test("makes text of peers safe for a terminal")
    func safeText() {
        #expect(!DiagnoseText(palette: .plain).text(report(.target, sentence: "a \u{1B}[2J")).contains("\u{1B}"))
    }
}
