internal import CheckEngine
internal import CheckModel
internal import HTTPServer

/// `GET /probe`, as blackbox_exporter has it.
final class BlackboxProbeResource: RequestResponder {
    private let parts: ServiceParts
    private let settings: ServiceSettings

    init(parts: ServiceParts, settings: ServiceSettings) {
        self.parts = parts
        self.settings = settings
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        switch prepare(request) {
        case .answer(let response): return response
        case .denied(let check, let probe): return deny(check, to: probe, request.head, on: worker)
        case .check(let check, let probe):
            let answer = await CheckTask.run(check, on: worker, in: parts.pool, under: settings.surroundings)
            return response(answer, to: check, of: probe, request.head, on: worker)
        }
    }

    // Not inlined, as in `CheckResource`.

    @inline(never)
    private func prepare(_ request: Request) -> BlackboxService.Preparation {
        let preparation = parts.blackbox.prepare(request.head, under: settings)
        switch preparation {
        case .check, .denied: parts.journal.noteAsked()
        case .answer(let response): if response.status == 400 { parts.metrics.noteRejection(.badRequest) }
        }
        return preparation
    }

    @inline(never)
    private func deny(_ check: CheckRequest, to probe: BlackboxProbe, _ head: RequestHead, on worker: Int) -> Response {
        parts.journal.noteDenied(check, because: "its module has a dialog", on: worker)
        return parts.blackbox.deny(check, to: probe, head)
    }

    @inline(never)
    private func response(
        _ answer: CheckTask.Answer, to check: PreparedCheck, of probe: BlackboxProbe, _ head: RequestHead,
        on worker: Int
    ) -> Response {
        do throws(Problem) {
            let result = try parts.journal.concludeProbe(answer, of: check.request, on: worker)
            return parts.blackbox.answer(result, to: probe, head)
        } catch {
            // A denial is a probe that failed; an overload is none.
            guard error.kind == .denied else { return parts.refusal(error) }
            return parts.blackbox.deny(check.request, to: probe, head)
        }
    }
}
