import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Synchronization

/// Runs checks without a service.
struct CheckSession {
    /// An event of a run, delivered on the calling thread.
    enum Event {
        case finished(Int, CheckResult, of: PreparedCheck)
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
    /// What runs the checks that have a place; nil if none has.
    var fleet: (any FleetAsking)?

    /// Targets for each worker; few targets need no further thread.
    private static let targetsOfWorker = 64
    /// Checks at once for each worker.
    private static let concurrencyOfWorker = 16

    /// Runs all checks, on all cores if there are many.
    ///
    /// While the calling thread is slow, as with a pager, no further check starts. The timeouts of checks in flight do not
    /// depend on it.
    func run(_ onEvent: (Event) -> Void) throws -> EndReason {
        let pool = try makePool()
        let events = try BlockingQueue<BatchEvent>()
        // Opened last: if only one descriptor is left, the queue needs it more than the signals.
        var interrupts = Interrupts()
        let threads = try pool.start()
        let work = SessionWork(plan: plan, events: events, fleet: fleet)
        let batch = BatchRun(
            count: plan.count, hosts: hosts, options: options, pool: pool, context: context, work: work)
        Task(executorPreference: pool.workers[0].reactor.thread) { await batch.run(from: 0) }
        let endReason = collect(events, interrupts, onEvent) {
            if work.notePrinted() { batch.resume() }
        }
        if case .interrupted = endReason { batch.abandon() }
        threads.stopAndJoin()
        // From here on a signal ends the process at once, even while it prints.
        interrupts.restore()
        return endReason
    }

    private func makePool() throws -> WorkerPool {
        let useful = min(plan.count / Self.targetsOfWorker, options.concurrency / Self.concurrencyOfWorker)
        let limit = options.concurrency
        let admission = Admission(limit: limit, queueLimit: 0, batchLimit: limit)
        return try WorkerPool(count: max(min(useful, Processors.available), 1), admission: admission)
    }

    /// The host of each check; empty without a limit for each host.
    private var hosts: [String] {
        guard options.perHost > 0 else { return [] }
        // Equal hosts share their memory.
        var known: Set<String> = []
        return (0..<plan.count).map { known.insert(plan.request(at: $0).target.hostKey).memberAfterInsert }
    }

    /// - Parameter onPrinted: is called after the event of each result.
    private func collect(
        _ events: BlockingQueue<BatchEvent>, _ interrupts: borrowing Interrupts, _ onEvent: (Event) -> Void,
        _ onPrinted: () -> Void
    ) -> EndReason {
        var left = plan.count
        var nextTick = tickMilliseconds.map { Clock.now().advanced(byMilliseconds: $0) }
        while left > 0 {
            switch events.next(until: nextTick, or: interrupts) {
            case .element(.finished(let index, let result, let check)):
                left -= 1
                onEvent(.finished(index, result, of: check))
                onPrinted()
            case .element(.willRepeat(let index, let result)):
                onEvent(.willRepeat(index, result))
                onPrinted()
            case .element(.repeating(let round, let count)):
                onEvent(.repeating(round: round, count: count))
            case .signal(let number): return .interrupted(by: number)
            case .deadline: break
            }
            if events.isEmpty {
                onEvent(.idle)
                if left > Self.targetsOfWorker { usleep(Self.pauseMicroseconds) }
            }
            if let tick = nextTick, let tickMilliseconds, Clock.now() >= tick {
                if left > 0 { onEvent(.tick) }
                nextTick = Clock.now().advanced(byMilliseconds: tickMilliseconds)
            }
        }
        return .complete
    }

    /// With many targets, results are printed in groups: a wake for each of them would take longer than its check.
    private static let pauseMicroseconds: UInt32 = 500
}

/// What the workers tell the calling thread.
private enum BatchEvent: Sendable {
    case finished(Int, CheckResult, of: PreparedCheck)
    case willRepeat(Int, CheckResult)
    case repeating(round: Int, count: Int)
}

/// The checks of a session as a batch. Its results go to the calling thread.
private final class SessionWork: BatchWork {
    private let plan: any CheckSource
    private let events: BlockingQueue<BatchEvent>
    private let fleet: (any FleetAsking)?
    /// Results that were not printed yet.
    private let waiting = Atomic<Int>(0)

    /// Results that may wait before no further check starts.
    private static let mostWaiting = 1024

    init(plan: any CheckSource, events: BlockingQueue<BatchEvent>, fleet: (any FleetAsking)?) {
        self.plan = plan
        self.events = events
        self.fleet = fleet
    }

    var hasRemoteChecks: Bool { fleet != nil }

    func isRemote(_ index: Int) -> Bool { plan.place(at: index) != nil }

    func runRemote(_ index: Int, _ check: PreparedCheck, on worker: Int) async -> RemoteItemResult {
        var result = CheckResult.cancelled(check.request)
        if let fleet, let place = plan.place(at: index) {
            result = await RemoteCheckResult.ask(fleet, at: place, check.request, body: plan.body(at: index))
        }
        let isTimeout = result.outcome == .failed(.timeout)
        return RemoteItemResult(isTimeout: isTimeout, byteCount: Self.resultBytes) { [self, result] _ in
            waiting.add(1, ordering: .relaxed)
            events.append(.finished(index, result, of: check))
        }
    }

    /// The size of a result, about.
    private static let resultBytes = 2048

    var lastStart: Int { waiting.load(ordering: .relaxed) < Self.mostWaiting ? .max : -1 }

    /// - Returns: whether to start checks again. That happens in groups: waking the workers for each result would be slow.
    func notePrinted() -> Bool {
        waiting.subtract(1, ordering: .relaxed).oldValue == Self.mostWaiting / 2
    }

    func prepare(_ index: Int, on worker: Int) -> PreparedCheck? { plan.check(at: index) }

    func finish(_ index: Int, _ check: PreparedCheck, with answer: CheckAnswer, on worker: Int) {
        waiting.add(1, ordering: .relaxed)
        events.append(.finished(index, answer.result(of: check) ?? .cancelled(check.request), of: check))
    }

    func willRepeat(_ index: Int, _ check: PreparedCheck, after answer: CheckAnswer) {
        waiting.add(1, ordering: .relaxed)
        events.append(.willRepeat(index, answer.result(of: check) ?? .cancelled(check.request)))
    }

    func willBeginRound(_ round: Int, of count: Int) {
        events.append(.repeating(round: round, count: count))
    }

    /// A session that is interrupted reads no further event.
    func cancel(_ index: Int, on worker: Int) {}
}

/// The checks of a session, each made when it is needed.
protocol CheckSource: Sendable {
    var count: Int { get }
    /// - Parameter index: less than `count`.
    func check(at index: Int) -> PreparedCheck
    func request(at index: Int) -> CheckRequest
    /// The place that runs a check; nil for here.
    func place(at index: Int) -> PlaceName?
    /// The body of `POST /v1/checks` for its place.
    func body(at index: Int) -> [UInt8]
}

extension CheckSource {
    func request(at index: Int) -> CheckRequest { check(at: index).request }
    func place(at index: Int) -> PlaceName? { nil }
    func body(at index: Int) -> [UInt8] { [] }
}

extension CheckResult {
    fileprivate static func cancelled(_ request: CheckRequest) -> CheckResult {
        .notStarted(request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
    }
}
