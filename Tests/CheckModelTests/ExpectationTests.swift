import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing

/// What makes a check `ok`: the outcome, and the fault of its error.
@Suite struct ExpectationTests {
    private static let refused = Outcome.failed(.refused)
    private static let denied = Outcome.failed(.denied)
    private static let unresolved = Outcome.failed(.resolveFailed)
    private static let timeout = Outcome.failed(.timeout)

    @Test(
        arguments: [
            (.connected, nil, true), (.answered, nil, true), (refused, .target, true), (timeout, .network, true),
            (unresolved, .resolver, true), (denied, .request, true), (.failed(.proberExhausted), .prober, true),
        ] as [(Outcome, Fault?, Bool)])
    func `a named outcome is expected, whatever its fault`(outcome: Outcome, fault: Fault?, isMet: Bool) {
        #expect(Expectation.oneOf([outcome]).isMet(by: outcome, fault: fault) == isMet)
        #expect(Expectation.oneOf([.associated, outcome]).isMet(by: outcome, fault: fault) == isMet)
        #expect(!Expectation.oneOf([.associated]).isMet(by: outcome, fault: fault))
    }

    @Test(
        arguments: [
            // The target or the network: anything except the unwanted outcome.
            (.connected, refused, .target, true), (.connected, timeout, .network, true),
            (.connected, .failed(.unreachable), .target, true), (.connected, .associated, nil, true),
            (timeout, refused, .target, true), (timeout, .connected, nil, true), (timeout, timeout, .network, false),
            (denied, .connected, nil, true), (denied, refused, .target, true), (denied, denied, .request, false),
            (.associated, .answered, nil, true), (.associated, .associated, nil, false),
            (.connected, .connected, nil, false),
            // These say nothing about the target.
            (.connected, unresolved, .resolver, false), (.connected, denied, .request, false),
            (.connected, .failed(.proberMisconfigured), .request, false),
            (.connected, .failed(.proberExhausted), .prober, false), (.connected, .failed(.cancelled), .request, false),
            (.connected, .failed(.unreachable), .prober, false), (.connected, .failed(.badPath), .request, false),
            (.connected, .failed(.tlsFailed), .request, false), (.connected, .failed(.internal), .prober, false),
            (timeout, unresolved, .resolver, false), (denied, unresolved, .resolver, false),
            (unresolved, denied, .request, false), (refused, .failed(.invalid), .request, false),
        ] as [(Outcome, Outcome, Fault?, Bool)])
    func `a negated outcome covers only results about the target`(
        unwanted: Outcome, outcome: Outcome, fault: Fault?, isMet: Bool
    ) {
        #expect(Expectation.not(unwanted).isMet(by: outcome, fault: fault) == isMet)
    }

    @Test func `by default every success is expected, and no failure`() {
        for outcome in Outcome.all {
            let fault: Fault? = outcome.isSuccess ? nil : .target
            #expect(Expectation.transportSuccess.isMet(by: outcome, fault: fault) == outcome.isSuccess)
        }
    }

    @Test func `a denial is expected only if it is named`() throws {
        var request = CheckRequest(target: try Target(parsing: "tcp://127.0.0.1:1"))
        request.expectation = .not(.connected)
        #expect(!CheckResult.denied(request, startedAtNanoseconds: 0).ok)
        request.expectation = .oneOf([.failed(.denied)])
        #expect(CheckResult.denied(request, startedAtNanoseconds: 0).ok)
    }
}
