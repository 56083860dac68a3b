internal import CheckEngine
internal import CheckModel
internal import HTTPServer

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
