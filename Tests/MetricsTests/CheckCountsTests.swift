import CheckModel
import ErrorCatalogue
import Metrics
import Testing

@Suite struct CheckCountsTests {
    private func result(_ outcome: Outcome, _ timings: Timings) -> CheckResult {
        CheckResult(
            ok: true, outcome: outcome, phase: .done, error: nil, attempts: [], resolution: nil, timings: timings,
            startedAtNanoseconds: 0)
    }

    @Test func checksAreCountedByOutcomeAndFault() {
        var counts = CheckCounts()
        counts.note(result(.connected, Timings()))
        counts.note(.init(outcome: .failed(.denied), fault: .request))
        counts.note(.init(outcome: .failed(.denied), fault: .request))
        #expect(counts.outcomes[.init(outcome: .connected, fault: nil)] == 1)
        #expect(counts.outcomes[.init(outcome: .failed(.denied), fault: .request)] == 2)
    }

    @Test func aPhaseThatDidNotRunIsNotTimed() {
        var counts = CheckCounts()
        var timings = Timings()
        timings[.tls] = 5_000_000
        timings[.total] = 6_000_000
        counts.note(result(.connected, timings))
        #expect(counts.durations(of: .tls).count == 1)
        #expect(counts.durations(of: .total).sumNanoseconds == 6_000_000)
        #expect(counts.durations(of: .dialog).count == 0)
        #expect(counts.durations(of: .resolve).count == 0)
    }

    @Test func countsOfAllWorkersAreAdded() {
        var sum = CheckCounts()
        var timings = Timings()
        timings[.total] = 1
        for _ in 0..<2 {
            var counts = CheckCounts()
            counts.note(result(.connected, timings))
            sum.add(counts)
        }
        #expect(sum.outcomes[.init(outcome: .connected, fault: nil)] == 2)
        #expect(sum.durations(of: .total).count == 2)
    }
}
