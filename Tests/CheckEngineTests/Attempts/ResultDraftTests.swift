@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Testing

/// How the results of several attempts are combined.
@Suite struct ResultDraftTests {
    private func result(
        _ addresses: ResolveOptions.Addresses, begunAgo milliseconds: Int = 0, _ outcomes: [AttemptOutcome]
    ) async throws -> CheckResult {
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:1"))
        request.resolve.addresses = addresses
        return try await withAttempts { [request] fixture in
            let draft = ResultDraft(plan: fixture.plan(request), queueNanoseconds: 0)
            draft.take(outcomes, begunAt: .after(-milliseconds))
            return draft.finished()
        }
    }

    private func outcome(
        _ outcome: Outcome, in phase: Phase = .done, error: OwnError? = nil, phases: [PhaseOutcome] = []
    ) -> AttemptOutcome {
        let endpoint = Endpoint.ip(IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 1))
        var result = AttemptResult(endpoint: endpoint, outcome: outcome, phase: phase, startNanoseconds: 0)
        result.error = error.map { Classifier.report(for: $0) }
        return AttemptOutcome(result: result, phases: phases)
    }

    private func dialog(_ nanoseconds: Int64, failedStep: Int?) -> PhaseOutcome {
        PhaseOutcome(.dialog, nanoseconds: nanoseconds, report: .dialog(DialogReport(failedStep: failedStep)))
    }

    @Test func oneSuccessIsEnoughUnlessAllMustConnect() async throws {
        let outcomes = [outcome(.failed(.refused), in: .connect), outcome(.connected)]
        #expect(try await result(.first, outcomes).outcome == .connected)
        #expect(try await result(.race, outcomes).outcome == .connected)
        #expect(try await result(.all, outcomes).outcome == .failed(.refused))
    }

    @Test func theFailureInTheLatestPhaseDecides() async throws {
        let outcomes = [
            outcome(.failed(.refused), in: .connect), outcome(.failed(.tlsFailed), in: .tls),
            outcome(.failed(.reset), in: .tls),
        ]
        let result = try await result(.first, outcomes)
        #expect(result.outcome == .failed(.tlsFailed))
        #expect(result.phase == .tls)
    }

    @Test func anUntriedAddressMakesTheResultUndecided() async throws {
        let outcomes = [
            outcome(.failed(.refused), in: .connect),
            outcome(.failed(.proberExhausted), in: .socket, error: .proberBusy),
        ]
        #expect(try await result(.race, outcomes).phase == .socket)
        #expect(try await result(.all, outcomes).phase == .connect)
    }

    @Test func durationsOfSuccessiveAttemptsAddUp() async throws {
        let outcomes = [
            outcome(.failed(.dialogFailed), in: .dialog, phases: [dialog(2_000_000, failedStep: 0)]),
            outcome(.connected, phases: [dialog(3_000_000, failedStep: nil)]),
        ]
        let successive = try await result(.first, begunAgo: 1000, outcomes)
        #expect(successive.timings[.dialog] == 5_000_000)
        #expect((995_000_000...).contains(successive.timings[.connect]))
        let simultaneous = try await result(.race, begunAgo: 1000, outcomes)
        #expect(simultaneous.timings[.dialog] == 3_000_000)
        #expect(simultaneous.timings[.tls] == 0)
    }

    @Test func connectDurationIsNeverNegative() async throws {
        let outcomes = [outcome(.connected, phases: [dialog(60_000_000_000, failedStep: nil)])]
        #expect(try await result(.first, outcomes).timings[.connect] == 0)
    }

    @Test func theReportIsFromTheDecisiveAttempt() async throws {
        let failed = outcome(.failed(.dialogFailed), in: .dialog, phases: [dialog(1, failedStep: 2)])
        let connected = outcome(.connected, phases: [dialog(1, failedStep: nil)])
        let result = try await result(.first, [failed, connected])
        #expect(result.dialog != nil)
        #expect(result.dialog?.failedStep == nil)
        #expect(result.tls == nil)
    }

    @Test func withoutADecisiveReportTheLastOneIsShown() async throws {
        let outcomes = [
            outcome(.failed(.dialogFailed), in: .dialog, phases: [dialog(1, failedStep: 1)]),
            outcome(.failed(.dialogFailed), in: .dialog, phases: [dialog(1, failedStep: 2)]),
            outcome(.connected),
        ]
        #expect(try await result(.race, outcomes).dialog?.failedStep == 2)
    }
}
