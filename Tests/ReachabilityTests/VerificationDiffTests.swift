import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Reachability
import StrictJSON
import Testing

@Suite struct VerificationDiffTests {
    private static func record(_ target: String, _ verdict: String, _ outcome: String) -> CaseRecord {
        CaseRecord(rule: "r", target: target, verdict: verdict, outcome: outcome)
    }

    @Test func newGoneAndChangedCasesAreFound() throws {
        let before = try CaseRecord.read(
            Array(
                """
                {"rule":"r","target":"a","verdict":"pass","outcome":"timeout","attempts":[]}

                {"rule":"r","target":"b","verdict":"pass","outcome":"timeout"}\r
                {"rule":"r","target":"c","verdict":"pass","outcome":"timeout"}
                """.utf8))
        let after = [
            Self.record("d", "pass", "connected"), Self.record("b", "pass", "timeout"),
            Self.record("a", "violation", "connected"),
        ]
        let diff = VerificationDiff(from: before, to: after)
        #expect(
            diff.changes == [
                .new(after[0]), .changed(before: before[0], after: after[2]), .gone(before[2]),
            ])
        #expect(diff.summary == "1 changed, 1 new, 1 gone, 1 unchanged")
    }

    @Test(arguments: ["{", "[]", "{\"target\":\"a\",\"outcome\":\"refused\"}", "\u{0}"])
    func anotherFileIsRefusedWithItsLine(line: String) throws {
        let good = "{\"rule\":\"r\",\"target\":\"a\",\"verdict\":\"pass\",\"outcome\":\"timeout\"}\n"
        #expect { try CaseRecord.read(Array((good + line).utf8)) } throws: { ($0 as? RecordError)?.line == 2 }
    }
}
