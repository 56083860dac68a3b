internal import CheckModel
internal import DequeModule
internal import ErrorCatalogue
public import NetworkTypes
internal import SocketIO
import Synchronization

/// Runs the checks of one batch on all workers of a pool, with permits of its own kind: a check waits for one, and is never
/// refused.
///
/// Each worker has a driver (`BatchDriver`), which starts checks from the common schedule.
public final class BatchRun: Sendable {
    private enum Mode {
        case running
        /// No check starts. Those in flight end as they do, the others as cancelled.
        case stopping
        /// No one takes results any more.
        case abandoned
    }

    private struct State {
        var mode = Mode.running
        var schedule: BatchSchedule
        /// The results of checks that are still to be repeated.
        var earlier: [Int: Earlier] = [:]
        /// Checks that end without being started.
        var cancelled: Deque<Int> = []
        /// Whether a driver was refused a permit, and waits for one.
        var isWaitingForPermit = false
        var drivers: [Task<Void, Never>] = []
    }

    /// The result of a check that timed out.
    private struct Earlier {
        enum Result {
            case local(PreparedCheck, CheckAnswer)
            case remote(RemoteItemResult)
        }

        let result: Result
        let lease: MemoryLease
    }

    /// What a driver does next.
    enum Step {
        case start(Int)
        /// These checks have ended; ask again.
        case again
        case wait(until: MonotonicTime)
        case waitForEvent
        case end
    }

    let context: CheckContext
    let work: any BatchWork
    private let pool: WorkerPool
    let hasRemoteChecks: Bool
    private let mayRepeat: Bool
    private let workerCount: Int
    private let concurrency: Int
    private let inFlight = Atomic<Int>(0)
    /// The batch's number in `Admission`.
    private let number = Atomic<Int>(0)
    private let isEnding = Atomic<Bool>(false)
    private let wakeUps: [WakeUp]
    private let state: Mutex<State>

    /// - Parameters:
    ///   - count: how many checks there are.
    ///   - hosts: the host of each check; only needed with a limit `perHost`.
    ///   - options: the concurrency is lowered to what the pool's permits allow.
    public init(
        count: Int, hosts: [String], options: BatchOptions, pool: WorkerPool, context: CheckContext, work: any BatchWork
    ) {
        concurrency = max(min(options.concurrency, pool.admission.batchLimit, count), 1)
        var options = options
        options.concurrency = concurrency
        self.pool = pool
        mayRepeat = options.timeoutRetries > 0
        self.context = context
        self.work = work
        hasRemoteChecks = work.hasRemoteChecks
        workerCount = min(pool.workers.count, concurrency)
        wakeUps = (0..<workerCount).map { _ in WakeUp() }
        state = Mutex(State(schedule: BatchSchedule(count: count, hosts: hosts, options: options)))
    }

    /// Runs all checks. Returns when each has ended, or soon after `abandon`. Call it once.
    /// - Parameter first: the worker that starts first: the caller's.
    public func run(from first: Int) async {
        let number = pool.admission.addBatch { [weak self] in self?.wakeAll() }
        self.number.store(number, ordering: .relaxed)
        let drivers = (0..<workerCount).map { place in
            let worker = pool.workers[(first + place) % pool.workers.count]
            let share = concurrency / workerCount + (place < concurrency % workerCount ? 1 : 0)
            let driver = BatchDriver(self, worker, place: place, concurrency: share)
            return Task(executorPreference: worker.reactor.thread) { await driver.run() }
        }
        let isAbandoned = state.withLock { state in
            state.drivers = drivers
            return state.mode == .abandoned
        }
        if isAbandoned { for driver in drivers { driver.cancel() } }
        for driver in drivers { await driver.value }
        pool.admission.removeBatch(number)
        // Drivers refer to this object.
        state.withLock { $0.drivers = [] }
    }

    /// Starts no further check. What has not started ends as cancelled.
    public func stop() {
        state.withLock { state in
            guard state.mode == .running else { return }
            state.mode = .stopping
            state.cancelled = Deque(state.schedule.withdrawAll())
            isEnding.store(true, ordering: .relaxed)
        }
        wakeAll()
    }

    /// As `stop`, and cancels the checks that are still in flight at the deadline.
    public func stop(cancelingAt deadline: MonotonicTime) {
        stop()
        let reactor = pool.workers[0].reactor
        Task(executorPreference: reactor.thread) { [weak self] in
            _ = await reactor.sleep(until: deadline)
            self?.cancel()
        }
    }

    /// Cancels the checks in flight, too. Each still gets its result.
    public func cancel() {
        stop()
        for driver in state.withLock({ $0.drivers }) { driver.cancel() }
    }

    /// Ends the batch: cancels the checks in flight, whose results are the last. No other check ends.
    public func abandon() {
        state.withLock { $0.mode = .abandoned }
        isEnding.store(true, ordering: .relaxed)
        for driver in state.withLock({ $0.drivers }) { driver.cancel() }
        wakeAll()
    }

    /// Checks in flight.
    public var inFlightCount: Int { inFlight.load(ordering: .relaxed) }

    func noteInFlight(_ change: Int) {
        inFlight.add(change, ordering: .relaxed)
    }

    /// Looks again at what the work allows to start.
    public func resume() {
        wakeAll()
    }

    private func wakeAll() {
        for wakeUp in wakeUps { wakeUp.fire() }
    }

    func wakeUp(of place: Int) -> WakeUp { wakeUps[place] }

    // MARK: What drivers ask

    /// Whether no check starts any more.
    var startsNothing: Bool { isEnding.load(ordering: .relaxed) }

    /// The next check to start, with a permit for it, or what to do instead.
    func next(on worker: Int) -> Step {
        let last = work.lastStart
        if startsNothing { return nextWhileEnding(on: worker, upTo: last) }
        let now = Clock.now()
        let step = last < 0 ? .waitForEnd : stepBeforeStart(at: now, upTo: last)
        if let step {
            needNoPermit()
            return act(on: step, worker)
        }
        guard takePermit() else { return .waitForEvent }
        if let time = work.takeStart() {
            returnPermit()
            return .wait(until: time)
        }
        if let index = start(at: now, upTo: last) { return .start(index) }
        returnPermit()
        return .waitForEvent
    }

    private func stepBeforeStart(at now: MonotonicTime, upTo last: Int) -> BatchSchedule.Step? {
        state.withLock { state in
            let round = state.schedule.retryRound
            let step = state.schedule.stepBeforeStart(at: now, upTo: last)
            if state.schedule.retryRound > round {
                work.willBeginRound(state.schedule.retryRound, of: state.schedule.waitingCount)
            }
            return step
        }
    }

    private func start(at now: MonotonicTime, upTo last: Int) -> Int? {
        state.withLock { $0.mode == .running ? $0.schedule.start(at: now, upTo: last) : nil }
    }

    private func act(on step: BatchSchedule.Step, _ worker: Int) -> Step {
        switch step {
        case .start(let index): return .start(index)
        case .wait(let time): return .wait(until: time)
        case .waitForEnd: return .waitForEvent
        case .giveUp(let indices):
            for index in indices { _ = finishEarlier(index, on: worker) }
            return .again
        case .complete:
            wakeAll()
            return .end
        }
    }

    /// The next check for the task and the permit of one that has ended; nil if both are to be given up.
    func following() -> Int? {
        let last = work.lastStart
        guard last >= 0, !startsNothing, pool.admission.mayKeepBatchPermit(permitNumber), work.takeStart() == nil
        else { return nil }
        return start(at: Clock.now(), upTo: last)
    }

    private func nextWhileEnding(on worker: Int, upTo last: Int) -> Step {
        needNoPermit()
        let (indices, isComplete) = state.withLock { state -> ([Int], Bool) in
            if state.mode == .abandoned { return ([], true) }
            var indices: [Int] = []
            while indices.count < Self.cancelledAtOnce, let first = state.cancelled.first, first <= last {
                indices.append(state.cancelled.removeFirst())
            }
            return (indices, indices.isEmpty && state.cancelled.isEmpty && state.schedule.inFlightCount == 0)
        }
        for index in indices where !finishEarlier(index, on: worker) { work.cancel(index, on: worker) }
        guard isComplete else { return indices.isEmpty ? .waitForEvent : .again }
        wakeAll()
        return .end
    }

    /// Checks that end as cancelled between two looks at the reader.
    private static let cancelledAtOnce = 64

    // MARK: Ends of checks

    /// Takes the answer of a check that ran; nil if there was nothing to run.
    func end(_ index: Int, _ check: PreparedCheck?, _ answer: CheckAnswer?, on worker: Int) {
        var isTimeout = false
        if case .result(let result) = answer { isTimeout = result.outcome == .failed(.timeout) }
        // Without memory for its result, a check is not repeated.
        let lease = isTimeout && mayRepeat ? pool.admission.memory.leaseAtOnce(CheckMemoryCost.repeated) : nil
        if isTimeout, mayRepeat, lease == nil { pool.admission.memory.noteRefusal() }
        let (isFinal, isLast) = state.withLock { state in
            let isFinal = state.schedule.end(index, timedOut: lease != nil && state.mode == .running)
            if !isFinal, let check, let answer, let lease {
                state.earlier[index] = Earlier(result: .local(check, answer), lease: lease)
                work.willRepeat(index, check, after: answer)
            } else if !state.earlier.isEmpty {
                state.earlier[index] = nil
            }
            return (isFinal, state.schedule.inFlightCount == 0)
        }
        if isFinal, let check, let answer {
            work.finish(index, check, with: answer, on: worker)
        }
        if isLast { wakeAll() }
    }

    /// Takes the result of a check that ran elsewhere.
    func end(_ index: Int, _ result: RemoteItemResult, on worker: Int) {
        var lease: MemoryLease?
        if result.isTimeout, mayRepeat {
            lease = pool.admission.memory.leaseAtOnce(max(CheckMemoryCost.repeated, result.byteCount))
            if lease == nil { pool.admission.memory.noteRefusal() }
        }
        let (isFinal, isLast) = state.withLock { state in
            let isFinal = state.schedule.end(index, timedOut: lease != nil && state.mode == .running)
            if !isFinal, let lease {
                state.earlier[index] = Earlier(result: .remote(result), lease: lease)
            } else if !state.earlier.isEmpty {
                state.earlier[index] = nil
            }
            return (isFinal, state.schedule.inFlightCount == 0)
        }
        if isFinal { result.finish(worker) }
        if isLast { wakeAll() }
    }

    /// Ends a check that was to be repeated, with the result that it has.
    /// - Returns: false if it has none.
    private func finishEarlier(_ index: Int, on worker: Int) -> Bool {
        guard let earlier = state.withLock({ $0.earlier.removeValue(forKey: index) }) else { return false }
        switch earlier.result {
        case .local(let check, let answer): work.finish(index, check, with: answer, on: worker)
        case .remote(let result): result.finish(worker)
        }
        return true
    }

    // MARK: Permits

    private var permitNumber: Int { number.load(ordering: .relaxed) }

    private func takePermit() -> Bool {
        let isTaken = pool.admission.takeBatchPermit(permitNumber)
        let othersWait = state.withLock { state in
            defer { state.isWaitingForPermit = !isTaken }
            return isTaken && state.isWaitingForPermit
        }
        if othersWait { wakeAll() }
        return isTaken
    }

    /// A permit that this batch does not need is left to the others.
    private func needNoPermit() {
        let wasWaiting = state.withLock { state in
            defer { state.isWaitingForPermit = false }
            return state.isWaitingForPermit
        }
        if wasWaiting { pool.admission.endBatchWait(permitNumber) }
    }

    func returnPermit() {
        pool.admission.releaseBatchPermit(permitNumber)
    }
}
