import StrictJSON
import Testing

@testable import Fleet

@Suite struct SurveyFindingTests {
    private func finding(_ text: String) throws -> SurveyFinding {
        let value = try JSONValue.parse(Array(text.utf8))
        return SurveyFinding(try #require(value.object))
    }

    @Test func readsAFailure() throws {
        let finding = try finding(
            """
            {"ok":false,"outcome":"refused","error":{"name":"ECONNREFUSED","fault":"target","message":"Connection refused"},
             "attempts":[{"address":"10.0.0.7","port":22}],
             "resolution":{"addresses":["10.0.0.7","10.0.0.10"]},"timings_ms":{"total":1.5}}
            """)
        #expect(!finding.isOK)
        #expect(finding.outcome == "refused")
        #expect(finding.fault == "target")
        #expect(finding.errorName == "ECONNREFUSED")
        #expect(finding.attempts == ["10.0.0.7"])
        #expect(finding.resolvedAddresses == ["10.0.0.10", "10.0.0.7"])
        #expect(finding.totalMilliseconds == 1.5)
        #expect(!finding.isSilent)
        #expect(finding.lastResponder == nil)
    }

    @Test func timeoutWithoutICMPIsSilent() throws {
        #expect(try finding(#"{"ok":false,"outcome":"timeout","attempts":[{"address":"10.0.0.7"}]}"#).isSilent)
        let answered = try finding(
            #"{"outcome":"timeout","attempts":[{"address":"10.0.0.7","icmp":{"type":3,"code":1,"from":"10.0.0.1"}}]}"#)
        #expect(!answered.isSilent)
        #expect(answered.lastResponder == "10.0.0.1")
    }

    @Test func lastHopOfATrace() throws {
        let finding = try finding(#"{"outcome":"timeout","trace":{"last_answer_from":"10.0.3.1"}}"#)
        #expect(finding.lastResponder == "10.0.3.1")
    }

    @Test func certificates() throws {
        let finding = try finding(#"{"outcome":"connected","tls":{"chain":[{"sha256":"aa"},{"sha256":"bb"}]}}"#)
        #expect(finding.certificates == ["aa", "bb"])
    }

    @Test(arguments: [
        "{}", #"{"ok":1,"outcome":[],"error":"x","attempts":{},"tls":[],"resolution":{"addresses":7},"trace":null}"#,
        #"{"attempts":[1,"x",{"address":{}}],"tls":{"chain":["x"]}}"#,
    ])
    func wrongTypesAreMissing(text: String) throws {
        let finding = try finding(text)
        #expect(!finding.isOK)
        #expect(finding.outcome.isEmpty)
        #expect(finding.certificates.compactMap { $0 }.isEmpty)
        #expect(finding.attempts.compactMap { $0 }.isEmpty)
    }

    @Test func longListsAndTextsAreCut() throws {
        let addresses = (0..<1000).map { "\"10.0.\($0 / 256).\($0 % 256)\"" }.joined(separator: ",")
        let finding = try finding(
            "{\"outcome\":\"\(String(repeating: "x", count: 100_000))\",\"resolution\":{\"addresses\":[\(addresses)]}}")
        #expect(finding.resolvedAddresses?.count == 64)
        #expect(finding.outcome.utf8.count <= 256)
    }

    @Test func unknownFaultDoesNotCount() throws {
        let finding = try finding(#"{"ok":false,"outcome":"x","error":{"fault":"weather"}}"#)
        #expect(!finding.vote(of: "a", labels: [:]).counts)
    }
}
