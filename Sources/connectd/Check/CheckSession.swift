import CLinux
import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// Runs checks on one worker, without a service.
struct CheckSession {
    /// An event of a run, delivered on the calling thread.
    enum Event {
        case finished(Int, CheckResult)
        /// The check timed out and will be repeated. If the run is interrupted first, this is its result.
        case willRepeat(Int, CheckResult)
        case repeating(round: Int, count: Int)
        /// The progress line is due.
        case tick
        /// No further result is known yet: what was printed so far should be visible.
        case idle
    }

    enum EndReason {
        case complete
        /// A signal arrived. Checks without an event so far have no result.
        case interrupted(by: Int32)
    }

    let plan: any CheckSource
    let context: CheckContext
    let options: BatchOptions
    /// The interval of `tick`; nil for none.
    let tickMilliseconds: Int?

    /// Results that may wait for the calling thread before no further check starts.
    private static let waitingResults = 1024

    /// Runs all checks.
    ///
    /// While the calling thread is slow, as with a pager, no further check starts. The timeouts of checks in flight do not
    /// depend on it.
    func run(_ onEvent: (Event) -> Void) throws -> EndReason {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: options.concurrency, queueLimit: 0))
        let events = try BlockingQueue<BatchEvent>()
        // Opened last: if only one descriptor is left, the queue needs it more than the signals.
        var interrupts = Interrupts()
        let threads = try pool.start()
        let gate = StartGate(capacity: Self.waitingResults + options.concurrency)
        let batch = makeBatch(pool, gate)
        let task = Task(executorPreference: pool.workers[0].reactor.thread) { await batch.run { events.append($0) } }
        let endReason = collect(events, gate, interrupts, onEvent)
        if case .interrupted = endReason { batch.cancel() }
        gate.close()
        _ = task
        threads.stopAndJoin()
        // From here on a signal ends the process at once, even while it prints.
        interrupts.restore()
        return endReason
    }

    private func makeBatch(_ pool: WorkerPool, _ gate: StartGate) -> CheckBatch {
        let service = LocalCheckService(pool, worker: 0, isBalanced: false)
        return CheckBatch(hosts: hosts, options: options, reactor: pool.workers[0].reactor) {
            [plan, context, service] index in
            let mayStart = await gate.enter()
            let check = plan.check(at: index)
            guard mayStart else { return .cancelled(check.request) }
            // The batch never runs more checks at once than there are permits: each gets one without a wait.
            let answer = await service.run(check, in: context, until: nil)
            return answer.result(of: check) ?? .cancelled(check.request)
        }
    }

    /// The host of each check; one for all if there is no limit for each of them.
    private var hosts: [String] {
        guard options.perHost > 0 else { return [String](repeating: "", count: plan.count) }
        // Equal hosts share their memory.
        var known: Set<String> = []
        return (0..<plan.count).map { known.insert(plan.request(at: $0).target.hostKey).memberAfterInsert }
    }

    private func collect(
        _ events: BlockingQueue<BatchEvent>, _ gate: StartGate, _ interrupts: borrowing Interrupts,
        _ onEvent: (Event) -> Void
    ) -> EndReason {
        var left = plan.count
        var nextTick = tickMilliseconds.map { Clock.now().advanced(byMilliseconds: $0) }
        while left > 0 {
            switch events.next(until: nextTick, or: interrupts) {
            case .element(.finished(let index, let result)):
                left -= 1
                onEvent(.finished(index, result))
                gate.leave()
            case .element(.willRepeat(let index, let result)):
                onEvent(.willRepeat(index, result))
                gate.leave()
            case .element(.repeating(let round, let count)):
                onEvent(.repeating(round: round, count: count))
            case .signal(let number): return .interrupted(by: number)
            case .deadline: break
            }
            if events.isEmpty { onEvent(.idle) }
            if let tick = nextTick, let tickMilliseconds, Clock.now() >= tick {
                if left > 0 { onEvent(.tick) }
                nextTick = Clock.now().advanced(byMilliseconds: tickMilliseconds)
            }
        }
        return .complete
    }
}

/// The checks of a session, each made when it is needed.
protocol CheckSource: Sendable {
    var count: Int { get }
    /// - Parameter index: less than `count`.
    func check(at index: Int) -> PreparedCheck
    func request(at index: Int) -> CheckRequest
}

extension CheckSource {
    func request(at index: Int) -> CheckRequest { check(at: index).request }
}

extension CheckResult {
    fileprivate static func cancelled(_ request: CheckRequest) -> CheckResult {
        .notStarted(request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
    }
}
