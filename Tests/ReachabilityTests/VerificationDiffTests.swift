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
        let before = try ["a", "b", "c"].map { target in
            let line = #"{"rule":"r","target":"\#(target)","verdict":"pass","outcome":"timeout","attempts":[]}"#
            return try CaseRecord(line: Array(line.utf8))
        }
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
    func anotherLineIsRefused(line: String) {
        #expect(throws: PolicyError.self) { try CaseRecord(line: Array(line.utf8)) }
    }
}
