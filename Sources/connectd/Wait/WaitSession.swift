import CLinux
import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// Repeats checks until each has met the condition once, without a service.
struct WaitSession {
    enum EndReason {
        case complete, timedOut
        /// The policy denies a target, so waiting longer is pointless.
        case denied
        case interrupted(by: Int32)
    }

    /// An event of the wait, delivered on the calling thread.
    enum Event {
        case checked(Int, CheckResult)
        /// The progress line is due.
        case tick
    }

    private enum WorkerEvent {
        case checked(Int, CheckResult)
        case gaveUp(Int)
    }

    /// The longest timeout of one check: longer than the SYN retries after 1 s and 3 s, short enough to notice a change.
    private static let longestCheckMilliseconds = 5000

    private let checks: [PreparedCheck]
    private let condition: WaitCondition
    private let context: CheckContext
    /// nil waits forever.
    private let deadline: MonotonicTime?
    private let interval: Duration
    private let tickMilliseconds: Int?
    /// The maximum number of checks at once.
    private let concurrency = min(256, DescriptorBudget.checks(eachHolding: 2))

    /// - Parameters:
    ///   - timeout: For the whole wait; 0 waits forever.
    ///   - tickMilliseconds: The interval of `tick`; nil for none.
    init(
        checks: [PreparedCheck], condition: WaitCondition, context: CheckContext, timeout: Duration,
        interval: Duration, tickMilliseconds: Int?
    ) {
        self.checks = checks
        self.condition = condition
        self.context = context
        self.interval = interval
        self.tickMilliseconds = tickMilliseconds
        deadline = timeout.milliseconds == 0 ? nil : Clock.now().advanced(byMilliseconds: timeout.milliseconds)
    }

    /// Runs until the wait ends.
    func run(_ onEvent: (Event) -> Void) throws -> EndReason {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: concurrency, queueLimit: checks.count))
        let events = try BlockingQueue<WorkerEvent>()
        // Opened last: if only one descriptor is left, the queue needs it more than the signals.
        var interrupts = Interrupts()
        let threads = try pool.start()
        let worker = pool.workers[0]
        let service = LocalCheckService(pool, worker: 0, isBalanced: false)
        for index in checks.indices {
            Task(executorPreference: worker.reactor.thread) {
                await watch(index, on: worker.reactor, by: service, events)
            }
        }
        let endReason = collect(events, interrupts, onEvent)
        threads.stopAndJoin()
        interrupts.restore()
        return endReason
    }

    private func collect(
        _ events: BlockingQueue<WorkerEvent>, _ interrupts: borrowing Interrupts, _ onEvent: (Event) -> Void
    ) -> EndReason {
        var endReason = EndReason.complete
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
                endReason = .timedOut
                pendingCount -= 1
            case .signal(let number): return .interrupted(by: number)
            case .deadline: break
            }
            if let tick = nextTick, let tickMilliseconds, Clock.now() >= tick {
                if pendingCount > 0 { onEvent(.tick) }
                nextTick = Clock.now().advanced(byMilliseconds: tickMilliseconds)
            }
        }
        return endReason
    }

    private func watch(
        _ index: Int, on reactor: Reactor, by service: LocalCheckService, _ events: BlockingQueue<WorkerEvent>
    ) async {
        while let result = await check(checks[index], by: service) {
            events.append(.checked(index, result))
            if condition.isMet(by: result, of: checks[index].request) { return }
            let next = Clock.now().advanced(byMilliseconds: interval.milliseconds)
            if await reactor.sleep(until: min(next, deadline ?? next)) == .cancelled { return }
        }
        events.append(.gaveUp(index))
    }

    /// Runs one check, which ends at the deadline at the latest; nil after the deadline.
    private func check(_ check: PreparedCheck, by service: LocalCheckService) async -> CheckResult? {
        if let deadline, deadline <= Clock.now() { return nil }
        var request = check.request
        let longest = Self.longestCheckMilliseconds + Int(request.holdMilliseconds)
        request.timeoutMilliseconds = min(request.timeoutMilliseconds, longest)
        let check = PreparedCheck(request: request, dialog: check.dialog)
        return await service.run(check, in: context, until: deadline).result(of: check)
    }
}

/// The signals of a process that waits, and is then replaced by another program.
///
/// `Interrupts` handles SIGINT and SIGTERM. SIGHUP and SIGQUIT keep their default action, which ends the process. Only PID 1
/// needs a handler for them, because the kernel drops signals with the default action there. execve(2) removes it.
struct WaitSignals {
    private var previousPipeAction = sigaction()

    init() {
        sigaction(SIGPIPE, nil, &previousPipeAction)
        // A closed peer then causes EPIPE from send(2) instead of ending the process.
        connectd_ignore_sigpipe()
        guard getpid() == 1 else { return }
        for number in [SIGHUP, SIGQUIT] where connectd_is_ignored(number) == 0 { connectd_end_on(number) }
    }

    /// Restores SIGPIPE: execve(2) would pass an ignored SIGPIPE to the new program.
    mutating func restore() {
        sigaction(SIGPIPE, &previousPipeAction, nil)
    }
}
