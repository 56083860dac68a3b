import CheckEngine
import CheckModel
import SocketIO

/// Checks that are repeated until each of them was ok once, without a service around them.
struct WaitSession {
    enum Ending {
        case complete, timedOut
        /// The policy never lets a target through: to wait longer does not help.
        case denied
    }

    private enum Event {
        case checked(Int, CheckResult)
        case gaveUp(Int)
    }

    /// How long one check may take. Longer than the kernel's second try (1 s and 3 s), short enough to notice a change.
    private static let longestCheckMilliseconds = 5000
    /// So many run at once; the others wait their turn.
    private static let concurrency = 256

    private let requests: [CheckRequest]
    private let surroundings: Surroundings
    /// nil waits for ever.
    private let deadline: MonotonicTime?
    private let interval: Duration

    /// - Parameter timeout: for all of it; 0 is for ever.
    init(requests: [CheckRequest], surroundings: Surroundings, timeout: Duration, interval: Duration) {
        self.requests = requests
        self.surroundings = surroundings
        self.interval = interval
        deadline = timeout.milliseconds == 0 ? nil : Clock.now().advanced(byMilliseconds: timeout.milliseconds)
    }

    /// Waits.
    /// - Parameter onResult: called for each check as it ends, on the calling thread.
    func run(_ onResult: (Int, CheckResult) -> Void) throws -> Ending {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: Self.concurrency, queueLimit: requests.count))
        let threads = try pool.start()
        let events = BlockingQueue<Event>()
        let worker = pool.workers[0]
        for index in requests.indices {
            Task(executorPreference: worker.reactor.thread) {
                await watch(index, by: worker, of: pool.admission, events)
            }
        }
        let ending = collect(events, onResult)
        threads.stopAndJoin()
        return ending
    }

    private func collect(_ events: BlockingQueue<Event>, _ onResult: (Int, CheckResult) -> Void) -> Ending {
        var ending = Ending.complete
        var pendingCount = requests.count
        while pendingCount > 0 {
            switch events.next() {
            case .checked(let index, let result):
                onResult(index, result)
                if result.outcome == .failed(.denied) { return .denied }
                if result.ok { pendingCount -= 1 }
            case .gaveUp:
                ending = .timedOut
                pendingCount -= 1
            }
        }
        return ending
    }

    private func watch(
        _ index: Int, by worker: Worker, of admission: Admission, _ events: BlockingQueue<Event>
    ) async {
        while let result = await check(requests[index], by: worker, of: admission) {
            events.append(.checked(index, result))
            if result.ok { return }
            let next = Clock.now().advanced(byMilliseconds: interval.milliseconds)
            if await worker.reactor.sleep(until: min(next, deadline ?? next)) == .cancelled { return }
        }
        events.append(.gaveUp(index))
    }

    /// One check, which ends by the deadline at the latest; nil behind it.
    private func check(_ request: CheckRequest, by worker: Worker, of admission: Admission) async -> CheckResult? {
        guard case .admitted(let permit) = await admission.acquire() else { return nil }
        var request = request
        request.timeoutMilliseconds = Self.longestCheckMilliseconds
        if let deadline {
            let left = deadline.since(Clock.now())
            guard left > 0 else { return nil }
            let milliseconds = Int((left + 999_999) / 1_000_000)
            request.timeoutMilliseconds = min(milliseconds, Self.longestCheckMilliseconds)
        }
        let answer = await worker.runner.run(
            PreparedCheck(request: request), under: surroundings, queueNanoseconds: 0)
        _ = consume permit
        switch answer {
        case .result(let result): return result
        case .denied: return .denied(request, startedAtNanoseconds: Clock.wallNanoseconds())
        }
    }
}
