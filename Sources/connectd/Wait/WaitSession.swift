import CLinux
import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// Checks that are repeated until each of them met the condition once, without a service around them.
struct WaitSession {
    enum Ending {
        case complete, timedOut
        /// The policy never lets a target through: to wait longer does not help.
        case denied
        case interrupted(by: Int32)
    }

    /// What the caller sees of the wait, on the calling thread.
    enum Event {
        case checked(Int, CheckResult)
        /// The time for a new line of progress.
        case tick
    }

    private enum WorkerEvent {
        case checked(Int, CheckResult)
        case gaveUp(Int)
    }

    /// How long one check may take. Longer than the kernel's second try (1 s and 3 s), short enough to notice a change.
    private static let longestCheckMilliseconds = 5000

    private let checks: [PreparedCheck]
    private let condition: WaitCondition
    private let surroundings: Surroundings
    /// nil waits for ever.
    private let deadline: MonotonicTime?
    private let interval: Duration
    private let tickMilliseconds: Int?
    /// So many run at once; the others wait their turn.
    private let concurrency = min(256, DescriptorBudget.checks(eachHolding: 2))

    /// - Parameters:
    ///   - timeout: for all of it; 0 is for ever.
    ///   - tickMilliseconds: how often `tick` is wanted; nil for never.
    init(
        checks: [PreparedCheck], condition: WaitCondition, surroundings: Surroundings, timeout: Duration,
        interval: Duration, tickMilliseconds: Int?
    ) {
        self.checks = checks
        self.condition = condition
        self.surroundings = surroundings
        self.interval = interval
        self.tickMilliseconds = tickMilliseconds
        deadline = timeout.milliseconds == 0 ? nil : Clock.now().advanced(byMilliseconds: timeout.milliseconds)
    }

    /// Waits.
    func run(_ onEvent: (Event) -> Void) throws -> Ending {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: concurrency, queueLimit: checks.count))
        let events = try BlockingQueue<WorkerEvent>()
        // After what cannot be done without: the last descriptor is not for signals.
        var interrupts = Interrupts()
        let threads = try pool.start()
        let worker = pool.workers[0]
        for index in checks.indices {
            Task(executorPreference: worker.reactor.thread) {
                await watch(index, by: worker, of: pool.admission, events)
            }
        }
        let ending = collect(events, interrupts, onEvent)
        threads.stopAndJoin()
        interrupts.restore()
        return ending
    }

    private func collect(
        _ events: BlockingQueue<WorkerEvent>, _ interrupts: borrowing Interrupts, _ onEvent: (Event) -> Void
    ) -> Ending {
        var ending = Ending.complete
        var pendingCount = checks.count
        var nextTick = tickMilliseconds.map { Clock.now().advanced(byMilliseconds: $0) }
        while pendingCount > 0 {
            switch events.next(until: nextTick, or: interrupts) {
            case .element(.checked(let index, let result)):
                onEvent(.checked(index, result))
                let isMet = condition.isMet(by: result, of: checks[index].request)
                if isMet { pendingCount -= 1 }
                if result.outcome == .failed(.denied), !isMet { return .denied }
            case .element(.gaveUp):
                ending = .timedOut
                pendingCount -= 1
            case .signal(let number): return .interrupted(by: number)
            case .deadline: break
            }
            if let tick = nextTick, let tickMilliseconds, Clock.now() >= tick {
                if pendingCount > 0 { onEvent(.tick) }
                nextTick = Clock.now().advanced(byMilliseconds: tickMilliseconds)
            }
        }
        return ending
    }

    private func watch(
        _ index: Int, by worker: Worker, of admission: Admission, _ events: BlockingQueue<WorkerEvent>
    ) async {
        while let result = await check(checks[index], by: worker, of: admission) {
            events.append(.checked(index, result))
            if condition.isMet(by: result, of: checks[index].request) { return }
            let next = Clock.now().advanced(byMilliseconds: interval.milliseconds)
            if await worker.reactor.sleep(until: min(next, deadline ?? next)) == .cancelled { return }
        }
        events.append(.gaveUp(index))
    }

    /// One check, which ends by the deadline at the latest; nil after it.
    private func check(_ check: PreparedCheck, by worker: Worker, of admission: Admission) async -> CheckResult? {
        guard case .admitted(let permit) = await admission.acquire() else { return nil }
        var request = check.request
        request.timeoutMilliseconds = min(request.timeoutMilliseconds, Self.longestCheckMilliseconds)
        if let deadline {
            let left = deadline.since(Clock.now())
            guard left > 0 else { return nil }
            let milliseconds = Int((left + 999_999) / 1_000_000)
            request.timeoutMilliseconds = min(milliseconds, request.timeoutMilliseconds)
        }
        let result = await worker.runner.result(
            of: PreparedCheck(request: request, dialog: check.dialog), under: surroundings)
        _ = consume permit
        return result
    }
}

/// The signals of a process that waits, and then becomes another program.
///
/// SIGINT and SIGTERM come through `Interrupts`. SIGHUP and SIGQUIT keep their usual effect, which is to end the process at
/// once. Only as PID 1, where the kernel drops signals of the usual effect, they need a handler; execve(2) takes it away.
struct WaitSignals {
    private var foundForPipe = sigaction()

    init() {
        sigaction(SIGPIPE, nil, &foundForPipe)
        // A peer that is gone is an errno of send(2), not the end of the process.
        connectd_ignore_sigpipe()
        guard getpid() == 1 else { return }
        for number in [SIGHUP, SIGQUIT] where connectd_is_ignored(number) == 0 { connectd_end_on(number) }
    }

    /// Everything as it was found: execve(2) would hand an ignored SIGPIPE on.
    mutating func restore() {
        sigaction(SIGPIPE, &foundForPipe, nil)
    }
}
