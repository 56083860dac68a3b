import CheckModel
import ConnectAPI
import Fleet
import NetworkTypes
import StrictJSON
import Testing

@testable import connectd

@Suite struct SurveyTextTests {
    private func text(_ target: String = "10.0.0.7:22") throws -> SurveyText {
        let request = CheckRequest(target: try Target(parsing: target), timeoutMilliseconds: 1000)
        var text = SurveyText(palette: .plain, request: request)
        let names = ["a", "long1"].compactMap { PlaceName($0) }
        text.align(SurveyPlan(names.map(VantageSelector.place), among: [], own: .init()))
        return text
    }

    private func entry(_ place: String, _ json: String) throws -> SurveyEntry {
        guard case .object(let document) = try JSONValue.parse(Array(json.utf8)) else { throw CancellationError() }
        return SurveyEntry(place: place, finished: document, bytes: Array(json.utf8))
    }

    @Test func columnsAreAligned() throws {
        let text = try text()
        let ok = try entry(
            "a",
            #"{"ok":true,"outcome":"connected","attempts":[{"address":"10.0.0.7"}],"timings_ms":{"total":1.25}}"#)
        #expect(text.line(ok) == "ok    a      connected          1.25 ms  10.0.0.7")
        let missing = SurveyEntry(place: "long1", .unavailable, because: "no answer came in time")
        #expect(text.line(missing) == "--    long1  unavailable     no answer came in time")
    }

    @Test func errorsHaveTheirNames() throws {
        let failed = try entry(
            "a",
            #"{"ok":false,"outcome":"refused","error":{"name":"ECONNREFUSED","message":"Connection refused"}}"#)
        #expect(try text().line(failed).contains("FAIL  a      refused"))
        #expect(try text().line(failed).contains("ECONNREFUSED (Connection refused)"))
    }

    @Test func datagramsWithoutAnAnswerAreNotVerified() throws {
        let associated = try entry("a", #"{"ok":true,"outcome":"associated"}"#)
        #expect(try text("udp://10.0.0.7:53").line(associated).hasPrefix("????"))
    }

    @Test func nothingOfAnotherMachineControlsTheTerminal() throws {
        let hostile = try entry("a", #"{"ok":true,"outcome":"\u001b[2Jx","error":{"name":"\u0007","message":"\r"}}"#)
        let line = try text().line(hostile)
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F })
    }

    @Test func differencesComeBeforeTheSentence() throws {
        let conclusion = SurveyConclusion(
            of: [
                try entry("a", #"{"ok":true,"outcome":"connected","tls":{"chain":[{"sha256":"aa"}]}}"#),
                try entry("b", #"{"ok":true,"outcome":"connected","tls":{"chain":[{"sha256":"bb"}]}}"#),
            ], quorum: 1)
        #expect(
            try text().end(conclusion).split(separator: "\n") == [
                "/tls/chain/0/sha256 differs:", "  aa  a", "  bb  b", "Reachable from both places that answered.",
            ])
    }
}
