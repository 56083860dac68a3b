package import CheckEngine
package import CheckModel
internal import ErrorCatalogue
package import HTTPServer
internal import NetworkTypes
internal import StrictJSON

/// One check for one request: `POST /v1/checks`, and `GET /v1/probe`, whose status is the verdict.
///
/// It decodes and encodes; `CheckPipeline` does what lies in between.
final class CheckResource: RequestResponder {
    enum Form {
        case body, query
    }

    private let form: Form
    private let pipeline: CheckPipeline

    init(_ form: Form, parts: ServiceParts, settings: ServiceSettings) {
        self.form = form
        pipeline = CheckPipeline(parts: parts, settings: settings)
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        switch prepare(request) {
        case .failure(let problem): return pipeline.parts.refusal(problem)
        case .success(let admitted):
            let answer = await pipeline.run(admitted.check, on: worker)
            admitted.limits?.end(with: answer)
            return response(answer, to: admitted.check, from: request.head.peer, on: worker)
        }
    }

    // Not inlined: the frame of `respond` exists as long as its check, and would have to hold their temporaries.

    @inline(never)
    private func prepare(_ request: Request) -> Result<AdmittedCheck, Problem> {
        Result { () throws(Problem) in
            let check = try pipeline.admit(
                try decode(request), from: request.head.peer, origin: pipeline.origin(of: request.head))
            return AdmittedCheck(check: check, limits: try pipeline.client(of: request.head)?.begin(check))
        }
    }

    private func decode(_ request: Request) throws(Problem) -> PreparedCheck {
        switch form {
        case .body:
            try QueryRule.acceptNone(request.head)
            return try BodyDecoder.check(request.body, under: pipeline.settings)
        case .query:
            return try ProbeDecoder.decode(
                request.head, maximumTimeoutMilliseconds: pipeline.settings.maximumTimeoutMilliseconds)
        }
    }

    @inline(never)
    private func response(
        _ answer: CheckAnswer, to check: PreparedCheck, from peer: Peer, on worker: Int
    ) -> Response {
        do throws(Problem) {
            let journal = pipeline.parts.journal
            let encoder = ResultEncoder(prober: pipeline.settings.prober)
            switch form {
            case .body:
                let result = try journal.conclude(answer, of: check.request, from: peer, on: worker)
                return ResponseFactory.json(encoder.line(result, of: check.request))
            case .query:
                let result = try journal.concludeProbe(answer, of: check.request, from: peer, on: worker)
                return ResponseFactory.json(
                    status: ProbeVerdict.status(of: result), encoder.line(result, of: check.request),
                    headers: [("Connectd-Outcome", result.outcome.word)])
            }
        } catch {
            return pipeline.parts.refusal(error)
        }
    }
}

/// A check that may run.
struct AdmittedCheck {
    let check: PreparedCheck
    /// The check for the limits of its client; nil if clients have no limits.
    let limits: ClientCheck?
}

/// What a check of a request passes through, whatever the request looks like: permission, run, journal.
///
/// A request with several checks uses it once for each of them.
package struct CheckPipeline: Sendable {
    package let parts: ServiceParts
    package let settings: ServiceSettings

    package init(parts: ServiceParts, settings: ServiceSettings) {
        self.parts = parts
        self.settings = settings
    }

    /// Where the request comes from: the same for all of its checks.
    package func origin(of head: RequestHead) -> RequestOrigin? {
        OriginReader.origin(of: head, tokens: settings.tokens)
    }

    /// The client of a request; nil if clients have no limits.
    package func client(of head: RequestHead) -> LimitedClient? {
        settings.limitedClient(of: head, in: parts)
    }

    /// Counts a decoded check, and judges what it uses.
    /// - Returns: the check with its origin.
    /// - Throws: 400 or 403, as `ServiceSettings.permit` does.
    package func admit(
        _ decoded: PreparedCheck, from peer: Peer, origin: RequestOrigin?
    ) throws(Problem) -> PreparedCheck {
        let check = decoded.asked(by: origin)
        parts.journal.noteAsked()
        do throws(Problem) {
            try settings.permit(check)
        } catch {
            logDenial(error, of: check, from: peer)
            throw error
        }
        return check
    }

    /// Counts a decoded check that another place runs. That place judges what it uses.
    func admitRemote(_ decoded: PreparedCheck, origin: RequestOrigin?) -> PreparedCheck {
        parts.journal.noteAsked()
        return decoded.asked(by: origin)
    }

    private func logDenial(_ problem: Problem, of check: PreparedCheck, from peer: Peer) {
        guard problem.kind == .denied else { return }
        let members = problem.errors.map(\.pointer).joined(separator: ", ")
        let rule = RequestPermissions.rule(denying: problem.errors.first?.pointer ?? "")
        let denial = Denial(rule: rule, text: "the request may not use \(members)")
        parts.journal.logDenial(of: check.request, because: denial, from: peer)
    }

    /// Runs the check within the limits of the service. The caller passes the answer to the journal.
    ///
    /// Inlined: a frame of its own would exist as long as the check.
    @inline(__always)
    package func run(_ check: PreparedCheck, on worker: Int) async -> CheckAnswer {
        await parts.service(on: worker).run(check, in: settings.checkContext, until: nil)
    }
}
