import CheckModel
import ErrorCatalogue
import NetworkTypes
import Reachability
import Testing

@Suite struct CaseJudgeTests {
    /// What happened, and the verdict for open, allowed, closed and blocked: `p`ass, `v`iolation, `e`rror,
    /// `i`nconclusive.
    private static let overTCP: [(Event, String)] = [
        (.connected, "ppvv"),
        (.errno("ECONNREFUSED"), "vppv"),
        (.errno("ECONNREFUSED", icmp: .target, code: 3), "vppv"),
        (.errno("ECONNREFUSED", icmp: .intermediate, code: 3), "vvvp"),
        (.errno("ECONNREFUSED", icmp: .prober, code: 3), "eeee"),
        (.errno("ECONNRESET"), "vpvv"),
        (.errno("ECONNRESET", .tls), "vpvv"),
        (.errno("ETIMEDOUT"), "vvvp"),
        (.deadline(), "vvvp"),
        (.deadline(.tls), "vvvv"),
        (.deadline(.dialog), "vvvv"),
        (.deadline(.resolve), "eeee"),
        (.errno("EHOSTUNREACH", icmp: .intermediate), "vvvp"),
        (.errno("EHOSTUNREACH", icmp: .target), "vvvp"),
        (.errno("EHOSTUNREACH", icmp: .prober), "eeee"),
        (.errno("ENETUNREACH", icmp: .intermediate, code: 0), "vvvp"),
        (.errno("EACCES", icmp: .intermediate), "vvvp"),
        // A host of the prober's own network that does not answer ARP.
        (.errno("EHOSTUNREACH", icmp: .prober, code: 1), "vvvp"),
        // The prober's own routes.
        (.errno("ENETUNREACH"), "eeee"),
        (.errno("EHOSTUNREACH"), "eeee"),
        (.errno("EINVAL"), "eeee"),
        (.errno("EACCES"), "eeee"),
        (.errno("EPERM"), "eeee"),
        (.errno("EMFILE", .socket), "eeee"),
        (.errno("EADDRNOTAVAIL"), "eeee"),
        (.errno("EADDRNOTAVAIL", .bind), "eeee"),
        (.own(.nxdomain, .resolve), "eeee"),
        (.own(.serverFailure, .resolve), "eeee"),
        (.own(.resolverTimeout, .resolve), "eeee"),
        (.own(.denied, .policy), "eeee"),
        (.own(.cancelled, .connect), "eeee"),
        (.own(.dialogMismatch, .dialog), "vvvv"),
    ]

    private static let overUDP: [(Event, String)] = [
        (.associated, "iiii"),
        (.answered, "ppvv"),
        (.deadline(.dialog), "viii"),
        (.errno("ECONNREFUSED", .dialog, icmp: .target, code: 3), "vppv"),
        (.errno("EHOSTUNREACH", .dialog, icmp: .intermediate), "vvvp"),
        (.errno("EPERM", .dialog), "eeee"),
    ]

    private static let expectations: [RuleExpectation] = [.open, .allowed, .closed, .blocked]

    @Test(arguments: overTCP.indices) func theVerdictOverTCP(index: Int) throws {
        let (event, letters) = Self.overTCP[index]
        #expect(try Self.letters(event, "tcp://db1.internal:22") == letters, "\(event)")
    }

    @Test(arguments: overUDP.indices) func theVerdictOverUDP(index: Int) throws {
        let (event, letters) = Self.overUDP[index]
        #expect(try Self.letters(event, "udp://db1.internal:53") == letters, "\(event)")
    }

    private static func letters(_ event: Event, _ text: String) throws -> String {
        let target = try Target(parsing: text)
        let result = TestResult.result(event, on: target)
        return try expectations.map { try #require(judgment($0, result, target).verdict.rawValue.first) }
            .map(String.init).joined()
    }

    private static func judgment(
        _ expectation: RuleExpectation, _ result: CheckResult, _ target: Target, resetIsBlock: Bool = false,
        control: ControlState = .none, isOnLink: Bool = true
    ) -> Judgment {
        let reader = EvidenceReader(resetIsBlock: resetIsBlock) { _ in isOnLink }
        return CaseJudge(expectation, evidence: reader, control: control).judgment(of: result, on: target)
    }

    @Test func aDeadGatewayIsAnErrorAndADeadNeighborIsNot() throws {
        let target = try Target(parsing: "tcp://10.2.0.1:22")
        let result = TestResult.result(.errno("EHOSTUNREACH", icmp: .prober, code: 1), on: target)
        let onLink = Self.judgment(.blocked, result, target)
        #expect(onLink.verdict == .pass)
        #expect(onLink.reason?.contains("may be down") == true)
        let offLink = Self.judgment(.blocked, result, target, isOnLink: false)
        #expect(offLink.verdict == .error)
        #expect(offLink.reason?.contains("next hop") == true)
    }

    @Test func aResetCountsAsBlockedOnlyIfTheRuleSaysSo() throws {
        let target = try Target(parsing: "tcp://10.2.0.1:22")
        for event in [Event.errno("ECONNREFUSED"), .errno("ECONNRESET", .tls)] {
            let result = TestResult.result(event, on: target)
            #expect(Self.judgment(.blocked, result, target).verdict == .violation)
            #expect(Self.judgment(.blocked, result, target, resetIsBlock: true).verdict == .pass)
            #expect(Self.judgment(.closed, result, target, resetIsBlock: true).verdict == .violation)
            #expect(Self.judgment(.allowed, result, target, resetIsBlock: true).verdict == .violation)
        }
        // An ICMP message is not a RST.
        let icmp = TestResult.result(.errno("ECONNREFUSED", icmp: .target, code: 3), on: target)
        #expect(Self.judgment(.blocked, icmp, target, resetIsBlock: true).verdict == .violation)
    }

    @Test func aClosedControlMakesOnlyBlockedInconclusive() throws {
        let target = try Target(parsing: "tcp://10.2.0.1:22")
        let control = ControlState.notOpen(target: "tcp://10.0.0.1:443", outcome: "timeout")
        let silent = TestResult.result(.deadline(), on: target)
        let judgment = Self.judgment(.blocked, silent, target, control: control)
        #expect(judgment.verdict == .inconclusive)
        #expect(judgment.reason?.contains("the control tcp://10.0.0.1:443 is not open (timeout)") == true)
        #expect(Self.judgment(.blocked, silent, target, control: .open).verdict == .pass)
        #expect(Self.judgment(.open, silent, target, control: control).verdict == .violation)
        let open = TestResult.result(.connected, on: target)
        #expect(Self.judgment(.blocked, open, target, control: control).verdict == .violation)
        let noRoute = TestResult.result(.errno("ENETUNREACH"), on: target)
        #expect(Self.judgment(.blocked, noRoute, target, control: control).verdict == .error)
    }

    @Test func blockedHoldsForEveryAddress() throws {
        let target = try Target(parsing: "tcp://db1.internal:22")
        let verdicts: [([Event], Verdict)] = [
            ([.deadline(), .deadline()], .pass),
            ([.deadline(), .errno("ECONNREFUSED")], .violation),
            ([.errno("ECONNREFUSED"), .deadline()], .violation),
            ([.deadline(), .connected], .violation),
            ([.errno("ENETUNREACH"), .deadline()], .error),
            ([.deadline(), .errno("ENETUNREACH")], .error),
            ([.errno("ENETUNREACH"), .errno("ECONNREFUSED")], .violation),
        ]
        for (events, verdict) in verdicts {
            let result = TestResult.result(events, on: target)
            #expect(Self.judgment(.blocked, result, target).verdict == verdict, "\(events)")
        }
        let partial = TestResult.result([.deadline()], on: target, known: 3)
        let judgment = Self.judgment(.blocked, partial, target)
        #expect(judgment.verdict == .inconclusive)
        #expect(judgment.reason?.contains("only 1 of 3 addresses") == true)
    }

    @Test func anAddressWithoutARouteDoesNotHideTheOthers() throws {
        let target = try Target(parsing: "tcp://db1.internal:22")
        let refused = TestResult.result([.errno("ENETUNREACH"), .errno("ECONNREFUSED")], on: target)
        #expect(Self.judgment(.allowed, refused, target).verdict == .pass)
        #expect(Self.judgment(.open, refused, target).verdict == .violation)
    }

    @Test func outcomesAreJudgedAsInACheck() throws {
        let target = try Target(parsing: "tcp://10.2.0.1:22")
        func verdict(_ word: String, _ event: Event) throws -> Verdict {
            Self.judgment(try RuleExpectation(parsing: word), TestResult.result(event, on: target), target).verdict
        }
        #expect(try verdict("refused", .errno("ECONNREFUSED")) == .pass)
        #expect(try verdict("refused", .deadline()) == .violation)
        #expect(try verdict("!connected", .deadline()) == .pass)
        #expect(try verdict("!connected", .connected) == .violation)
        #expect(try verdict("!connected", .own(.serverFailure, .resolve)) == .error)
        #expect(try verdict("unreachable", .errno("ENETUNREACH")) == .error)
        let udp = try Target(parsing: "udp://10.2.0.1:53")
        let silent = TestResult.result(.associated, on: udp)
        #expect(Self.judgment(try RuleExpectation(parsing: "associated"), silent, udp).verdict == .pass)
        #expect(Self.judgment(try RuleExpectation(parsing: "!refused"), silent, udp).verdict == .inconclusive)
    }
}
