import StrictJSON
import Testing

@testable import Fleet

@Suite struct SurveySentenceTests {
    private func entry(
        _ place: String, _ outcome: String, fault: String? = nil, labels: [String: String] = [:], from: String? = nil,
        isOK: Bool? = nil
    ) -> SurveyEntry {
        var members: [JSONObject.Member] = [
            .init(key: "ok", value: .bool(isOK ?? (fault == nil))), .init(key: "outcome", value: .string(outcome)),
        ]
        if let fault {
            let error = JSONObject(members: [.init(key: "fault", value: .string(fault))])
            members.append(.init(key: "error", value: .object(error)))
        }
        if let from {
            let icmp = JSONObject(members: [.init(key: "from", value: .string(from))])
            let attempt = JSONObject(members: [.init(key: "icmp", value: .object(icmp))])
            members.append(.init(key: "attempts", value: .array([.object(attempt)])))
        }
        return SurveyEntry(place: place, labels: labels, finished: JSONObject(members: members), bytes: [])
    }

    private func missing(_ place: String, _ status: SurveyEntry.Status) -> SurveyEntry {
        SurveyEntry(place: place, status, because: "no answer came in time")
    }

    private func sentence(_ entries: [SurveyEntry], quorum: Int = 1, unmatched: [String] = []) -> String {
        SurveyConclusion(of: entries, quorum: quorum, unmatched: unmatched).sentence
    }

    @Test func up() {
        #expect(sentence([entry("fra1", "connected")]) == "Reachable from fra1.")
        let three = ["a", "b", "c"].map { entry($0, "connected") }
        #expect(sentence(three) == "Reachable from all 3 places that answered.")
        #expect(sentence([entry("a", "associated")]) == "Without an error, but not verified, from a.")
        let refused = ["a", "b"].map { entry($0, "refused", fault: "target", isOK: true) }
        #expect(
            sentence(refused)
                == "As expected from both places that answered.")
    }

    @Test func targetDown() {
        let three = ["a", "b", "c"].map { entry($0, "refused", fault: "target") }
        #expect(sentence(three) == "Refused from all 3 places that answered: the target is down.")
        #expect(
            sentence([entry("a", "refused", fault: "target"), entry("b", "timeout", fault: "network")])
                == "Failed (refused 1, timeout 1) from both places that answered: the target is down.")
        #expect(
            sentence([entry("a", "tls_failed", fault: "target")]) == "TLS failed from a: the target is at fault.")
    }

    @Test func pathDown() {
        let entries = ["a", "b"].map { entry($0, "unreachable", fault: "network", from: "10.0.0.1") }
        #expect(
            sentence(entries)
                == "Unreachable from both places that answered, and 10.0.0.1 answered last: the path is at fault.")
    }

    @Test func silent() {
        let entries = ["a", "b"].map { entry($0, "timeout", fault: "network") }
        #expect(
            sentence(entries)
                == "No answer from the target, tried from both places that answered: "
                + "the target or the path to it is down.")
    }

    @Test func unexpectedSuccess() {
        #expect(sentence([entry("a", "connected", isOK: false)]) == "Not as expected from a (connected 1).")
    }

    @Test func partial() {
        let ok = [entry("a", "connected", labels: ["region": "eu"]), entry("b", "connected", labels: ["region": "eu"])]
        let failed = entry("c", "timeout", fault: "network", labels: ["region": "us"])
        #expect(sentence(ok + [failed]) == "Reachable from 2 of 3 places; all places with region=us failed.")
        #expect(
            sentence(ok + [entry("d", "timeout", fault: "network")])
                == "Reachable from 2 of 3 places; failed from d (timeout).")
        let many = (1...5).map { entry("x\($0)", "refused", fault: "target") }
        #expect(
            sentence(ok + many)
                == "Reachable from 2 of 7 places; failed from x1 (refused), x2 (refused), x3 (refused) and 2 more.")
    }

    @Test func undetermined() {
        #expect(sentence([], unmatched: ["region=mars"]) == "No place has the labels region=mars.")
        #expect(
            sentence([missing("a", .unavailable), missing("b", .unavailable)])
                == "No verdict: 0 results count, and the quorum is 1. a and b did not answer.")
        #expect(
            sentence([entry("a", "connected"), missing("b", .forbidden)], quorum: 2)
                == "No verdict: 1 result counts, and the quorum is 2. b did not allow the check.")
        #expect(
            sentence([entry("a", "prober_exhausted", fault: "prober")])
                == "No verdict: the fault is with the place, not with the target. 1 result does not count: fault prober."
        )
    }

    @Test func whatDoesNotCountIsAdded() {
        let entries = [
            entry("a", "connected"), entry("b", "resolve_failed", fault: "resolver"), missing("c", .unsupported),
        ]
        #expect(
            sentence(entries, unmatched: ["region=mars"])
                == "Reachable from a. c did not accept the check. 1 result does not count: fault resolver. "
                + "No place has the labels region=mars.")
    }

    @Test func summaryCounts() {
        let entries = [
            entry("a", "connected"), entry("b", "refused", fault: "target"),
            entry("c", "resolve_failed", fault: "resolver"), missing("d", .unavailable),
        ]
        let summary = SurveyConclusion(of: entries, quorum: 1).summary
        #expect(summary.asked == 4)
        #expect(summary.counted == 2)
        #expect(summary.ok == 1)
        #expect(summary.failed == 1)
        #expect(summary.byOutcome.map(\.outcome) == ["connected", "refused", "resolve_failed"])
        #expect(summary.byOutcome.map(\.count) == [1, 1, 1])
    }
}
