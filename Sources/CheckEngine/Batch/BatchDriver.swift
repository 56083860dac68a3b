internal import CheckModel
internal import NetworkTypes
internal import SocketIO

/// Starts the checks of one batch on one worker, up to its part of the concurrency.
///
/// A check in flight holds a permit. Most need no task (`DirectCheck`); each of the others runs in one. When a check ends,
/// the next one takes over its permit, if the turn may start another.
final class BatchDriver: Sendable {
    private struct State {
        /// Checks that hold a permit.
        var inFlight = 0
        /// Those that have no task.
        var direct = DirectCheckList()
        /// Those that need a task, and wait for `run` to create it.
        var handedOver: [ReadyCheck] = []
        var isCancelled = false
        var turn: UInt64 = 0
        /// When this turn started its first check.
        var begin = MonotonicTime(nanoseconds: 0)
        /// Checks that this turn may still start.
        var startsLeft = 0
    }

    /// A check that has its permit, by its number.
    private struct ReadyCheck {
        let number: Int
        let check: PreparedCheck
    }

    private let batch: BatchRun
    private let worker: Worker
    private let wakeUp: WakeUp
    private let concurrency: Int
    private let turnPlace: UInt64
    private let state: ThreadBound<State>

    private var index: Int { worker.reactor.thread.index }

    init(_ batch: BatchRun, _ worker: Worker, place: Int, concurrency: Int) {
        self.batch = batch
        self.worker = worker
        self.concurrency = concurrency
        wakeUp = batch.wakeUp(of: place)
        turnPlace = worker.batchTurns.add()
        state = ThreadBound(State(), thread: worker.reactor.thread)
    }

    /// Returns when all checks of the batch have ended. Call it in a task that prefers the worker's thread; the tasks of the
    /// checks do then, too.
    func run() async {
        let timer = await worker.reactor.makeTimer { [wakeUp] in wakeUp.fire() }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                while await takeStep(in: &group, timer) {}
                // An abandoned batch has ended before its checks.
                while state.with({ $0.inFlight > 0 }) { await wakeUp.wait() }
            }
        } onCancel: {
            // This may run on any thread.
            Task(executorPreference: worker.reactor.thread) { await self.cancelDirectChecks() }
        }
        await worker.reactor.remove(timer)
        worker.batchTurns.remove()
    }

    /// - Returns: false at the end of the batch.
    private func takeStep(in group: inout DiscardingTaskGroup, _ timer: SlotToken) async -> Bool {
        for ready in takeHandedOver() {
            group.addTask { await self.runChecks(from: ready) }
        }
        if !batch.startsNothing {
            guard state.with({ $0.inFlight < concurrency }) else {
                await wakeUp.wait()
                return true
            }
            guard mayStart() else {
                await nextTurn()
                return true
            }
        }
        switch batch.next(on: index) {
        case .start(let check):
            noteStart()
            noteInFlight(1)
            startChecks(from: check)
        case .again: await nextTurn()
        case .wait(let time):
            await worker.reactor.arm(timer, at: time)
            await wakeUp.wait()
        case .waitForEvent: await wakeUp.wait()
        case .end: return false
        }
        return true
    }

    private func nextTurn() async {
        _ = await worker.reactor.sleep(until: Clock.now())
    }

    private func mayStart() -> Bool {
        state.with { state in
            let turn = worker.reactor.turnCount
            if turn != state.turn {
                state.turn = turn
                state.startsLeft = worker.batchTurns.starts(at: turnPlace, inTurn: turn)
                state.begin = Clock.now()
                return state.startsLeft > 0
            }
            return state.startsLeft > 0 && Clock.now().since(state.begin) < BatchTurns.longestNanoseconds
        }
    }

    private func noteStart() {
        state.with { $0.startsLeft -= 1 }
    }

    private func noteInFlight(_ change: Int) {
        state.with { $0.inFlight += change }
        batch.noteInFlight(change)
    }

    // MARK: Checks

    /// What has become of a check that holds a permit.
    private enum Start {
        case inFlight
        case ended
        case needsTask(PreparedCheck)
    }

    /// Starts a check, and as long as checks end at once, the next one with the same permit.
    private func startChecks(from first: Int) {
        var next: Int? = first
        while let number = next {
            switch start(number) {
            case .inFlight: return
            case .needsTask(let check):
                state.with { $0.handedOver.append(ReadyCheck(number: number, check: check)) }
                return wakeUp.fire()
            case .ended: next = following()
            }
        }
        giveUpPermit()
    }

    private func start(_ number: Int) -> Start {
        guard let prepared = batch.work.prepare(number, on: index) else {
            batch.end(number, nil, nil, on: index)
            return .ended
        }
        if isRemote(number) { return .needsTask(prepared) }
        guard let check = worker.runner.direct(prepared, number: number, in: batch.context, for: self) else {
            return .needsTask(prepared)
        }
        if let answer = check.start(isCancelled: state.with { $0.isCancelled }) {
            batch.end(number, prepared, answer, on: index)
            return .ended
        }
        state.with { $0.direct.add(check) }
        return .inFlight
    }

    /// Runs a check in the caller's task, and then the next ones with the same permit, until one needs no task.
    private func runChecks(from first: ReadyCheck) async {
        var next: ReadyCheck? = first
        while let ready = next {
            if isRemote(ready.number) {
                batch.end(ready.number, await batch.work.runRemote(ready.number, ready.check, on: index), on: index)
            } else {
                let answer = await worker.runner.run(ready.check, in: batch.context, queueNanoseconds: 0)
                batch.end(ready.number, ready.check, answer, on: index)
            }
            next = nextForTask()
        }
    }

    private func isRemote(_ number: Int) -> Bool { batch.hasRemoteChecks && batch.work.isRemote(number) }

    /// Starts the next checks with the permit of one that has ended.
    /// - Returns: the first that needs a task; nil if the permit is not needed any more, or a direct check has it.
    private func nextForTask() -> ReadyCheck? {
        while let number = following() {
            switch start(number) {
            case .inFlight: return nil
            case .needsTask(let check): return ReadyCheck(number: number, check: check)
            case .ended: break
            }
        }
        giveUpPermit()
        return nil
    }

    /// The next check for a permit that is free; nil if the permit must be given up.
    private func following() -> Int? {
        guard mayStart(), let next = batch.following() else { return nil }
        noteStart()
        return next
    }

    private func giveUpPermit() {
        batch.returnPermit()
        noteInFlight(-1)
        wakeUp.fire()
    }

    private func takeHandedOver() -> [ReadyCheck] {
        state.with { state in
            guard !state.handedOver.isEmpty else { return [] }
            defer { state.handedOver = [] }
            return state.handedOver
        }
    }

    /// Between some of them, the worker has its turns.
    private func cancelDirectChecks() async {
        state.with { $0.isCancelled = true }
        while true {
            let checks = state.with { Array($0.direct.checks.suffix(Self.cancelledInTurn)) }
            if checks.isEmpty { return }
            for check in checks { check.cancel() }
            await nextTurn()
        }
    }

    private static let cancelledInTurn = 64
}

extension BatchDriver: DirectCheck.Owner {
    func ended(_ check: DirectCheck, with answer: CheckAnswer) {
        state.with { $0.direct.remove(check) }
        batch.end(check.number, check.check, answer, on: index)
        if let next = following() { startChecks(from: next) } else { giveUpPermit() }
    }
}
