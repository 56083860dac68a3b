internal import CheckModel
internal import NetworkTypes
internal import SocketIO

/// Starts the checks of one batch on one worker, up to its part of the concurrency.
///
/// Each check runs in a task that holds a permit. When the check ends, the same task takes the next one, if the turn may
/// start another.
final class BatchDriver: Sendable {
    private struct State {
        /// Tasks that run checks.
        var tasks = 0
        var turn: UInt64 = 0
        /// When this turn started its first check.
        var begin = MonotonicTime(nanoseconds: 0)
        /// Checks that this turn may still start.
        var startsLeft = 0
    }

    private let batch: BatchRun
    private let worker: Worker
    private let wakeUp: WakeUp
    private let concurrency: Int
    private let state: ThreadBound<State>

    private var index: Int { worker.reactor.thread.index }

    init(_ batch: BatchRun, _ worker: Worker, place: Int, concurrency: Int) {
        self.batch = batch
        self.worker = worker
        self.concurrency = concurrency
        wakeUp = batch.wakeUp(of: place)
        state = ThreadBound(State(), thread: worker.reactor.thread)
    }

    /// Returns when all checks of the batch have ended. Call it in a task that prefers the worker's thread; the tasks of the
    /// checks do then, too.
    func run() async {
        let place = worker.batchTurns.add()
        let timer = await worker.reactor.makeTimer { [wakeUp] in wakeUp.fire() }
        await withDiscardingTaskGroup { group in
            while await takeStep(in: &group, place, timer) {}
        }
        await worker.reactor.remove(timer)
        worker.batchTurns.remove()
    }

    /// - Returns: false at the end of the batch.
    private func takeStep(in group: inout DiscardingTaskGroup, _ place: UInt64, _ timer: SlotToken) async -> Bool {
        if !batch.startsNothing {
            guard state.with({ $0.tasks < concurrency }) else {
                await wakeUp.wait()
                return true
            }
            guard mayStart(at: place) else {
                await nextTurn()
                return true
            }
        }
        switch batch.next(on: index) {
        case .start(let check):
            noteStart()
            noteTask(1)
            group.addTask { await self.runChecks(from: check, place) }
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

    private func mayStart(at place: UInt64) -> Bool {
        state.with { state in
            let turn = worker.reactor.turnCount
            if turn != state.turn {
                state.turn = turn
                state.startsLeft = worker.batchTurns.starts(at: place, inTurn: turn)
                state.begin = Clock.now()
                return state.startsLeft > 0
            }
            return state.startsLeft > 0 && Clock.now().since(state.begin) < BatchTurns.longestNanoseconds
        }
    }

    private func noteStart() {
        state.with { $0.startsLeft -= 1 }
    }

    private func noteTask(_ change: Int) {
        state.with { $0.tasks += change }
        batch.noteTask(change)
    }

    private func runChecks(from first: Int, _ place: UInt64) async {
        var next: Int? = first
        while let check = next {
            await runCheck(check)
            next = mayStart(at: place) ? batch.following() : nil
            if next != nil { noteStart() }
        }
        batch.returnPermit()
        noteTask(-1)
        wakeUp.fire()
    }

    private func runCheck(_ check: Int) async {
        guard let prepared = batch.work.prepare(check, on: index) else {
            return batch.end(check, nil, nil, on: index)
        }
        let answer = await worker.runner.run(prepared, in: batch.context, queueNanoseconds: 0)
        batch.end(check, prepared, answer, on: index)
    }
}
