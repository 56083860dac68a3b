import CheckModel
@testable import connectd
import ErrorCatalogue
import NetworkTypes
import Testing

/// The lines below a result with a hold or with several rounds.
@Suite struct HumanRoundsTests {
    private func result(_ reports: [PhaseReport] = [], _ rounds: RoundStatistics? = nil) -> CheckResult {
        let result = CheckResult(
            ok: true, outcome: .connected, phase: .done, error: nil, attempts: [], resolution: nil, reports: reports,
            timings: Timings(), startedAtNanoseconds: 0)
        return rounds.map(result.withRounds) ?? result
    }

    private func round(_ outcome: Outcome, sent: Int, lost: Int, at start: UInt64) -> FinishedRound {
        FinishedRound(
            outcome: outcome, ok: outcome.isSuccess, durationNanoseconds: 1_000_000, synSent: sent,
            synRetransmits: sent - 1, packetsSent: sent, packetsLost: lost,
            start: MonotonicTime(nanoseconds: start * 1_000_000), end: MonotonicTime(nanoseconds: start * 1_000_000))
    }

    @Test func `a plain check has no such lines`() {
        #expect(HumanRounds.lines(for: result()) == [])
    }

    @Test(arguments: [
        (HoldReport.Event.open, "held for 1.50 ms: still open"), (.closed, "held: closed by the peer after 1.50 ms"),
        (.reset, "held: reset by the peer after 1.50 ms"),
        (.data, "held: still open, data from the peer after 1.50 ms"),
    ])
    func `a hold is one line`(event: HoldReport.Event, text: String) {
        #expect(HumanRounds.lines(for: result([.hold(HoldReport(event, nanoseconds: 1_500_000))])) == [text])
    }

    @Test func `rounds have counts, loss and times`() {
        var statistics = RoundStatistics()
        statistics.note(round(.connected, sent: 1, lost: 0, at: 0))
        statistics.note(round(.failed(.timeout), sent: 2, lost: 2, at: 10))
        statistics.note(round(.connected, sent: 2, lost: 1, at: 30))
        #expect(
            HumanRounds.lines(for: result([], statistics)) == [
                "3 rounds, 2 ok, 60% lost, 5 SYNs sent, 2 of them again, longest outage 20.00 ms",
                "2 connected, 1 timeout",
                "time min/median/avg/p95/max/stddev = 1.00/1.00/1.00/1.00/1.00/0.00 ms",
                "time after a lost SYN min/median/avg/p95/max/stddev = 1.00/1.00/1.00/1.00/1.00/0.00 ms",
            ])
    }

    @Test func `without a success there are no times`() {
        var statistics = RoundStatistics()
        statistics.note(round(.failed(.refused), sent: 1, lost: 0, at: 0))
        #expect(
            HumanRounds.lines(for: result([], statistics)) == [
                "1 round, 0 ok, 0% lost, 1 SYN sent, 0 of them again", "1 refused",
            ])
    }

    @Test(arguments: [
        (0.0, "0%"), (1, "100%"), (0.5, "50%"), (1.0 / 3, "33.3%"), (0.00001, "0.1%"), (0.99999, "99.9%"),
    ])
    func `a percentage never hides a loss or an answer`(share: Double, text: String) {
        #expect(HumanRounds.percent(share) == text)
    }
}
