public import CheckModel
internal import ErrorCatalogue
public import SocketIO
internal import Synchronization

/// The events of a batch, in order.
public enum BatchEvent: Sendable {
    /// The check's result is final. Each check has exactly one such event, unless the batch is cancelled.
    case finished(Int, CheckResult)
    /// The check timed out and will be repeated after the others.
    case willRepeat(Int, CheckResult)
    /// The repetition has begun: its round, starting at 1, and the number of its checks.
    case repeating(round: Int, count: Int)
}

/// Runs many checks at the pace of `BatchOptions`.
///
/// It does not know where the checks come from or where they run. The command line and HTTP both use it.
public final class CheckBatch: Sendable {
    private struct State {
        var schedule: BatchSchedule
        /// The results so far of the checks that will be repeated.
        var earlier: [Int: CheckResult] = [:]
        var isCancelled = false
    }

    private let state: Mutex<State>
    private let reactor: Reactor
    private let wakeUp = WakeUp()
    private let check: @Sendable (Int) async -> CheckResult

    /// - Parameters:
    ///   - hosts: the host of each check, as `BatchSchedule` takes them.
    ///   - reactor: its timer paces the starts.
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

    /// Runs all checks. Their tasks prefer the same executor as the caller's task.
    /// - Parameter onEvent: called for one event at a time, on the thread on which a check ended.
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

    /// Ends the batch: checks in flight are cancelled, and no further event follows.
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
