public import CheckModel
internal import ErrorCatalogue
public import SocketIO
internal import Synchronization

/// What happens in a batch, in order.
public enum BatchEvent: Sendable {
    /// The check's result is final. Each check has exactly one such event, unless the batch is cancelled.
    case finished(Int, CheckResult)
    /// The check timed out and will be repeated after the rest.
    case willRepeat(Int, CheckResult)
    /// The repetition has begun: its round from 1, and how many checks it has.
    case repeating(round: Int, count: Int)
}

/// Runs many checks at the pace of `BatchOptions`.
///
/// It knows nothing about where the checks come from and where they run: the command line and HTTP bring their own.
public final class CheckBatch: Sendable {
    private struct State {
        var schedule: BatchSchedule
        /// What the checks ended with that are still to be repeated.
        var earlier: [Int: CheckResult] = [:]
        var isCancelled = false
    }

    private let state: Mutex<State>
    private let reactor: Reactor
    private let wakeUp = WakeUp()
    private let check: @Sendable (Int) async -> CheckResult

    /// - Parameters:
    ///   - hosts: the host of each check, as `BatchSchedule` takes them.
    ///   - reactor: whose timer paces the starts.
    ///   - check: runs one check; it returns soon after its task was cancelled.
    public init(
        hosts: [String], options: BatchOptions, reactor: Reactor, check: @escaping @Sendable (Int) async -> CheckResult
    ) {
        state = Mutex(State(schedule: BatchSchedule(hosts: hosts, options: options)))
        self.reactor = reactor
        self.check = check
    }

    /// Checks in flight.
    public var inFlightCount: Int { state.withLock { $0.schedule.inFlightCount } }

    /// Runs all checks. The tasks that it makes prefer the executor that the caller's task prefers.
    /// - Parameter onEvent: is called for one event at a time, on whatever thread a check ended.
    public func run(_ onEvent: @escaping @Sendable (BatchEvent) -> Void) async {
        let timer = await reactor.makeTimer { [wakeUp] in wakeUp.fire() }
        await withDiscardingTaskGroup { group in
            var round = 0
            while true {
                let (step, newRound, count) = state.withLock { state in
                    let step = state.isCancelled ? .complete : state.schedule.next(at: Clock.now())
                    return (step, state.schedule.retryRound, state.schedule.waitingCount)
                }
                if newRound > round {
                    round = newRound
                    onEvent(.repeating(round: round, count: count))
                }
                switch step {
                case .start(let index):
                    group.addTask { await self.run(index, onEvent) }
                case .wait(let time):
                    await reactor.arm(timer, at: time)
                    await wakeUp.wait()
                case .waitForEnd:
                    await wakeUp.wait()
                case .giveUp(let indices):
                    for index in indices { finish(index, onEvent) }
                case .complete:
                    group.cancelAll()
                    return
                }
            }
        }
        await reactor.remove(timer)
    }

    /// Ends the batch: checks in flight are cancelled, and no event follows.
    public func cancel() {
        state.withLock { $0.isCancelled = true }
        wakeUp.fire()
    }

    private func run(_ index: Int, _ onEvent: @Sendable (BatchEvent) -> Void) async {
        let result = await check(index)
        state.withLock { state in
            guard !state.isCancelled else { return }
            let isFinal = state.schedule.end(index, timedOut: result.outcome == .failed(.timeout))
            state.earlier[index] = isFinal ? nil : result
            // Under the lock: events come one at a time, and none after `cancel`.
            onEvent(isFinal ? .finished(index, result) : .willRepeat(index, result))
        }
        wakeUp.fire()
    }

    private func finish(_ index: Int, _ onEvent: @Sendable (BatchEvent) -> Void) {
        state.withLock { state in
            guard !state.isCancelled, let result = state.earlier.removeValue(forKey: index) else { return }
            onEvent(.finished(index, result))
        }
    }
}

/// Wakes one task that waits. A call before the wait is not lost.
private final class WakeUp: Sendable {
    private struct State {
        var isFired = false
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func fire() {
        let waiter = state.withLock { state in
            let waiter = state.waiter.take()
            if waiter == nil { state.isFired = true }
            return waiter
        }
        waiter?.resume()
    }

    /// SAFETY of the unsafe continuation: it is resumed once, by the caller that takes it out of the state under the lock.
    func wait() async {
        await withUnsafeContinuation { continuation in
            let isFired = state.withLock { state in
                if !state.isFired { state.waiter = continuation }
                return state.isFired.exchange(with: false)
            }
            if isFired { continuation.resume() }
        }
    }
}

extension Bool {
    fileprivate mutating func exchange(with value: Bool) -> Bool {
        defer { self = value }
        return self
    }
}

/// How fast the checks of a batch may start, and whether those that timed out are repeated.
public struct BatchOptions: Hashable, Sendable {
    /// Checks in flight at once, at least 1.
    public var concurrency: Int
    /// Checks in flight at once to one host; 0 means no limit.
    public var perHost = 0
    /// Starts per second; 0 means no limit.
    public var ratePerSecond = 0.0
    /// How many times a check that timed out is repeated after the rest, 0 … 3.
    public var timeoutRetries = 0
    /// The pause between the starts of two repeated checks, in milliseconds.
    ///
    /// Linux sends about one ICMP error a second to one host (icmp_ratelimit), whatever the error is about. A repeated check
    /// gets its ICMP error only if it has such a second to itself.
    public var retryPauseMilliseconds = 1100
    /// How long the repetition may take as a whole, in milliseconds. What is left then keeps its timeout.
    public var retryLimitMilliseconds = 600_000

    public init(concurrency: Int) {
        self.concurrency = concurrency
    }
}
