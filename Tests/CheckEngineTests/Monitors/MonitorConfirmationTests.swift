@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import Synchronization
import Testing

/// Monitors that other places confirm before they are down.
@Suite struct MonitorConfirmationTests {
    private final class Places: MonitorConfirmation {
        let kinds: Mutex<[ConfirmationReport.Opinion.Kind]>
        let count = Atomic<Int>(0)

        init(_ kinds: [ConfirmationReport.Opinion.Kind]) { self.kinds = Mutex(kinds) }

        func confirm() async -> ConfirmationReport {
            count.add(1, ordering: .relaxed)
            return report(kinds.withLock { $0 })
        }

        private func report(_ kinds: [ConfirmationReport.Opinion.Kind]) -> ConfirmationReport {
            ConfirmationReport(atNanoseconds: 1, opinions: kinds.map { .init(place: "p", kind: $0) }, needed: 2)
        }
    }

    private func definition(
        _ confirmation: (any MonitorConfirmation)?, upAfter: Int = 1, downAfter: Int = 1, target: String = "127.0.0.1:1"
    ) throws -> MonitorDefinition {
        MonitorDefinition(
            name: "m", intervalMilliseconds: 100, upAfter: upAfter, downAfter: downAfter,
            check: PreparedCheck(request: CheckRequest(target: try Target(parsing: target))),
            confirmation: confirmation, source: "")
    }

    private func result(_ ok: Bool) -> CheckResult {
        let error = ok ? nil : Classifier.report(for: Errno(111), in: Circumstances(phase: .connect, transport: .tcp))
        return CheckResult(
            ok: ok, outcome: ok ? .connected : .failed(.refused), phase: ok ? .done : .connect, error: error,
            attempts: [], resolution: nil, timings: Timings(), startedAtNanoseconds: 0)
    }

    /// The states after rounds, and in which of them the places were asked.
    private func states(
        _ rounds: [Bool], _ kinds: [[ConfirmationReport.Opinion.Kind]], upAfter: Int = 1, downAfter: Int = 1
    ) async throws -> (states: [MonitorState], asked: [Int]) {
        let places = Places([])
        let monitor = Monitor(try definition(places, upAfter: upAfter, downAfter: downAfter))
        var states: [MonitorState] = []
        var asked: [Int] = []
        for (index, ok) in rounds.enumerated() {
            places.kinds.withLock { $0 = kinds[min(index, kinds.count - 1)] }
            let round = result(ok)
            var report: ConfirmationReport?
            if let confirmation = monitor.confirmation(of: round) {
                asked.append(index)
                report = await confirmation.confirm()
            }
            _ = monitor.note(round, confirmedBy: report)
            states.append(monitor.state)
        }
        return (states, asked)
    }

    @Test func enoughFailuresElsewhereMakeItDown() async throws {
        let found = try await states([true, false, false, true], [[.failed, .failed, .ok]])
        #expect(found.states == [.up, .down, .down, .up])
        #expect(found.asked == [1], "a confirmed failure is not asked about again")
    }

    @Test(arguments: [
        [ConfirmationReport.Opinion.Kind.failed, .ok, .ok], [.failed, .unavailable, .unavailable],
        [.unavailable, .unavailable, .unavailable], [.notCounted, .notCounted, .failed], [],
    ])
    func fewerFailuresMakeItDegraded(kinds: [ConfirmationReport.Opinion.Kind]) async throws {
        let found = try await states([true, false, false, true, true], [kinds])
        #expect(found.states == [.up, .degraded, .degraded, .up, .up])
        #expect(found.asked == [1, 2])
    }

    @Test func aDegradedMonitorCanBecomeDown() async throws {
        let found = try await states([false, false, true], [[.ok, .ok], [.failed, .failed]])
        #expect(found.states == [.degraded, .down, .up] && found.asked == [0, 1])
    }

    @Test func placesAreAskedOnlyInTheRoundThatWouldMakeItDown() async throws {
        let found = try await states([false, true, false, false, false], [[.failed, .failed]], downAfter: 3)
        #expect(found.states == [.pending, .up, .up, .up, .down] && found.asked == [4])
    }

    @Test func withoutConfirmTheOwnRoundsDecide() throws {
        let monitor = Monitor(try definition(nil))
        #expect(monitor.confirmation(of: result(false)) == nil)
        _ = monitor.note(result(false))
        #expect(monitor.state == .down && monitor.status.confirmation == nil)
    }

    @Test func theReportStaysUntilTheMonitorIsUp() async throws {
        let monitor = Monitor(try definition(Places([.ok, .failed]), upAfter: 2))
        let report = try #require(await monitor.confirmation(of: result(false))?.confirm())
        _ = monitor.note(result(false), confirmedBy: report)
        #expect(monitor.status.confirmation == report && report.count(of: .failed) == 1)
        _ = monitor.note(result(true))
        #expect(monitor.status.confirmation == report && monitor.state == .degraded)
        _ = monitor.note(result(true))
        #expect(monitor.status.confirmation == nil && monitor.state == .up)
    }

    private final class Observer: MonitorObserver {
        let changes = Mutex<[MonitorState]>([])
        let rounds = Atomic<Int>(0)

        func monitorFinished(_ monitor: Monitor, with result: CheckResult, changed: Bool, on worker: Int) {
            rounds.add(1, ordering: .relaxed)
            if changed { changes.withLock { $0.append(monitor.state) } }
        }

        func monitorSkipped(_ monitor: Monitor) {}
    }

    @Test func aRunningMonitorAsksBeforeItIsDown() async throws {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: 10, queueLimit: 10))
        let threads = try pool.start()
        let observer = Observer()
        let places = Places([.ok, .ok])
        let monitors = MonitorSet(pool: pool, context: { CheckContext(policy: nil) }, observer: observer)
        monitors.replace(with: [try definition(places)])
        for _ in 0..<500 where observer.rounds.load(ordering: .relaxed) < 2 {
            try await Task.sleep(for: .milliseconds(10))
        }
        places.kinds.withLock { $0 = [.failed, .failed] }
        let asked = places.count.load(ordering: .relaxed)
        let rounds = observer.rounds.load(ordering: .relaxed)
        for _ in 0..<500 where observer.rounds.load(ordering: .relaxed) < rounds + 4 {
            try await Task.sleep(for: .milliseconds(10))
        }
        monitors.stop()
        threads.stopAndJoin()
        #expect(observer.changes.withLock { $0 } == [.degraded, .down])
        #expect(places.count.load(ordering: .relaxed) <= asked + 2, "a monitor that is down does not ask")
    }
}
