package import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
import HTTPServer
internal import NetworkTypes
import SocketIO

/// One check for one request: `POST /v1/checks`, and `GET /v1/probe`, whose status is the verdict.
final class CheckResource: RequestResponder {
    enum Form {
        case body, query
    }

    private let form: Form
    private let parts: ServiceParts
    private let settings: ServiceSettings

    init(_ form: Form, parts: ServiceParts, settings: ServiceSettings) {
        self.form = form
        self.parts = parts
        self.settings = settings
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        switch prepare(request) {
        case .failure(let problem): return parts.refusal(problem)
        case .success(let check):
            let answer = await CheckTask.run(check, on: worker, in: parts.pool, under: settings.surroundings)
            return response(answer, to: check, on: worker)
        }
    }

    // Not inlined: the frame of the function above lives as long as its check, and would have to hold what these need.

    @inline(never)
    private func prepare(_ request: Request) -> Result<PreparedCheck, Problem> {
        Result { () throws(Problem) in
            let check = try decode(request).asked(
                by: OriginReader.origin(of: request.head, tokens: settings.tokens))
            parts.journal.noteAsked()
            try settings.permit(check.request)
            return check
        }
    }

    private func decode(_ request: Request) throws(Problem) -> PreparedCheck {
        switch form {
        case .body:
            try QueryRule.acceptNone(request.head)
            return try BodyDecoder.check(request.body, under: settings)
        case .query:
            return try ProbeDecoder.decode(
                request.head, maximumTimeoutMilliseconds: settings.maximumTimeoutMilliseconds)
        }
    }

    @inline(never)
    private func response(_ answer: CheckTask.Answer, to check: PreparedCheck, on worker: Int) -> Response {
        do throws(Problem) {
            let encoder = ResultEncoder(prober: settings.prober)
            switch form {
            case .body:
                let result = try parts.journal.conclude(answer, of: check.request, on: worker)
                return ResponseFactory.json(encoder.line(result, of: check.request))
            case .query:
                let result = try parts.journal.concludeProbe(answer, of: check.request, on: worker)
                return ResponseFactory.json(
                    status: ProbeVerdict.status(of: result), encoder.line(result, of: check.request),
                    headers: [("Connectd-Outcome", result.outcome.word)])
            }
        } catch {
            return parts.refusal(error)
        }
    }
}

/// A check's way from the HTTP worker to an engine: admission, then the run.
package enum CheckTask {
    package enum Answer: Sendable {
        case answered(CheckAnswer)
        case overloaded, cancelled
    }

    /// Runs the check, on the caller's own thread or on an idle worker's.
    /// - Parameter index: the worker that runs on the caller's thread.
    package static func run(
        _ check: PreparedCheck, on index: Int, in pool: WorkerPool, under surroundings: Surroundings
    ) async -> Answer {
        let worker = pool.worker(for: index)
        return worker.reactor.thread.index == index
            ? await run(check, by: worker, admission: pool.admission, under: surroundings)
            : await hand(check, to: worker, admission: pool.admission, under: surroundings)
    }

    /// Runs the check on the caller's own thread.
    private static func run(
        _ check: PreparedCheck, by worker: Worker, admission: CheckEngine.Admission, under surroundings: Surroundings
    ) async -> Answer {
        if let permit = admission.acquireAtOnce() {
            return await run(check, by: worker, holding: permit, queueNanoseconds: 0, under: surroundings)
        }
        return await queue(check, by: worker, admission: admission, under: surroundings)
    }

    /// The way with a wait for the permit. Not inlined: few checks take it, and all would have to make room for its frame.
    @inline(never)
    private static func queue(
        _ check: PreparedCheck, by worker: Worker, admission: CheckEngine.Admission, under surroundings: Surroundings
    ) async -> Answer {
        let asked = Clock.now()
        switch await admission.acquire() {
        case .full: return .overloaded
        case .cancelled: return .cancelled
        case .admitted(let permit):
            let waited = Clock.now().since(asked)
            return await run(check, by: worker, holding: permit, queueNanoseconds: waited, under: surroundings)
        }
    }

    private static func run(
        _ check: PreparedCheck, by worker: Worker, holding permit: consuming Permit, queueNanoseconds: Int64,
        under surroundings: Surroundings
    ) async -> Answer {
        let answer = await worker.runner.run(
            check, under: surroundings, queueNanoseconds: queueNanoseconds)
        _ = consume permit
        return .answered(answer)
    }

    /// Hands the check to another worker's thread, and waits. It needs a task of its own there: a task's waits come back
    /// to the thread that the task prefers.
    @inline(never)
    private static func hand(
        _ check: PreparedCheck, to worker: Worker, admission: CheckEngine.Admission, under surroundings: Surroundings
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
