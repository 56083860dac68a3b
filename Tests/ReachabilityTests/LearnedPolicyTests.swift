import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Reachability
import StrictJSON
import Testing

@Suite struct LearnedPolicyTests {
    private func learned(_ text: String, _ event: (ReachabilityCase) -> Event) throws -> (String, LearnedPolicy) {
        let draft = try policy(text, needsExpectations: false)
        let learned = LearnedPolicy(draft, verified(draft, event)) { judge(draft.rules[$0], $1) }
        return (learned.text(origin: "prober"), learned)
    }

    private static let draft = """
        version: 1
        defaults: {timeout_ms: 500, retry_timeouts: 1}
        sets: {db: [redis, 10.2.0.0/29], "web": ["[2001:db8::7]"]}
        rules:
          - {name: "a: b", to: [db, web], ports: ["22-24", 80, "u:53"], control: "tcp://10.0.0.1:443",
             labels: {ticket: "FW-1 \\"x\\""}, check: {dialog: [{send: "a\\r\\n"}, {expect: "^b"}]}}
          - {to: ["unix:/run/a.sock", "tls://a.b:443"]}
        """

    /// Different outcomes by destination and port, all of which a rule can expect.
    private static func event(_ tested: ReachabilityCase) -> Event {
        if tested.target.isDatagram { return .answered }
        switch (tested.destination, tested.port?.number) {
        case (_, 22): return .deadline()
        case (_, 23): return .errno("ECONNREFUSED")
        case ("10.2.0.3", _), ("redis", _): return .connected
        case (_, 24): return .deadline(.tls)
        default: return .connected
        }
    }

    @Test func theLearnedFileIsReadAndPasses() throws {
        let (text, first) = try learned(Self.draft, Self.event)
        #expect(first.unknownCount == 0, "\(text)")
        let read = try policy(text)
        let cases = verified(read, Self.event)
        #expect(cases.count == 10 * 5 + 2)
        #expect(cases.filter { $0.verdict != .pass }.isEmpty, "\(text)")
        #expect(read.pace.timeoutRetries == 1)
        #expect(read.rules[0].control?.text == "tcp://10.0.0.1:443")
        #expect(read.rules[0].labels == [Label(name: "ticket", value: "FW-1 \"x\"")])
        #expect(read.rules[0].check.members.map(\.key) == ["timeout_ms", "dialog"])
        // What is learned from the learned file is the same.
        let (again, _) = try learned(text, Self.event)
        #expect(again.split(separator: "\n").count == text.split(separator: "\n").count)
    }

    @Test func setsAndBlocksStayTogether() throws {
        let (text, _) = try learned(
            """
            version: 1
            sets: {db: [10.2.0.0/29]}
            rules: [{name: ssh, to: [db], ports: [22, 23, 24]}]
            """
        ) { $0.destination == "10.2.0.4" ? .connected : .deadline() }
        let rules = text.split(separator: "\n").filter { $0.contains("name:") }
        #expect(
            rules == [
                "  - {name: \"ssh (1)\", to: [\"10.2.0.0/30\", \"10.2.0.5\", \"10.2.0.6/31\"], ports: [\"22-24\"], expect: blocked}",
                "  - {name: \"ssh (2)\", to: [\"10.2.0.4\"], ports: [\"22-24\"], expect: open}",
            ])
    }

    @Test func whatCouldNotBeTriedIsOnlyAComment() throws {
        let (text, learned) = try learned(Self.draft) { tested in
            tested.target.isDatagram ? .associated : .errno("ENETUNREACH")
        }
        #expect(learned.unknownCount == 52)
        #expect(text.contains("# not learned: tcp://10.2.0.1:22: could not be tried"))
        #expect(text.contains("# not learned: udp://10.2.0.1:53"))
        #expect(text.contains("rules: []"))
    }
}
