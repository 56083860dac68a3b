internal import CheckEngine
internal import CheckModel
internal import SocketIO

/// A check's way from the HTTP worker to an engine: admission, then the run.
enum CheckTask {
    enum Answer: Sendable {
        case answered(CheckAnswer)
        case overloaded, cancelled
    }

    /// Runs the check on the caller's own thread.
    static func run(
        _ check: DecodedCheck, by worker: Worker, admission: CheckEngine.Admission, under surroundings: Surroundings
    ) async -> Answer {
        let asked = Clock.now()
        switch await admission.acquire() {
        case .full: return .overloaded
        case .cancelled: return .cancelled
        case .admitted(let permit):
            let answer = await worker.runner.run(
                check.request, dialog: check.dialog, under: surroundings, queueNanoseconds: Clock.now().since(asked))
            _ = consume permit
            return .answered(answer)
        }
    }

    /// Hands the check to another worker's thread, and waits. It needs a task of its own there: a task's waits come back
    /// to the thread that the task prefers.
    static func hand(
        _ check: DecodedCheck, to worker: Worker, admission: CheckEngine.Admission, under surroundings: Surroundings
    ) async -> Answer {
        let task = Task(executorPreference: worker.reactor.thread) {
            await run(check, by: worker, admission: admission, under: surroundings)
        }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
