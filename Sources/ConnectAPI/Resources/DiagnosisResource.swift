internal import CheckEngine
internal import Configuration
internal import Diagnosis
internal import HTTPServer

/// `POST /v1/diagnoses`: what is wrong with a target, with the evidence.
final class DiagnosisResource: RequestResponder {
    private let pipeline: CheckPipeline

    init(parts: ServiceParts, settings: ServiceSettings) {
        pipeline = CheckPipeline(parts: parts, settings: settings)
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        do throws(Problem) {
            let diagnosis = try prepare(request)
            let client = pipeline.client(of: request.head)
            let limits = try client?.begin(diagnosis.check)
            client?.chargeFurther(Self.usualExperiments)
            let run = DiagnosisRun(
                pipeline.parts.pool, worker: worker, isBalanced: true, in: pipeline.settings.checkContext)
            let answer = await run.run(diagnosis)
            limits?.end(with: answer)
            return try response(answer, to: diagnosis, from: request.head.peer, on: worker)
        } catch {
            return pipeline.parts.refusal(error)
        }
    }

    /// What a diagnosis counts against the rate of its client, besides its first check.
    private static let usualExperiments = 9

    private func prepare(_ request: Request) throws(Problem) -> DiagnosisRequest {
        try QueryRule.acceptNone(request.head)
        let decoded = try BodyDecoder.diagnosis(request.body, under: pipeline.settings)
        if let control = decoded.control { try pipeline.settings.permit(control: control) }
        let origin = pipeline.origin(of: request.head)
        return DiagnosisRequest(
            check: try pipeline.admit(decoded.check, from: request.head.peer, origin: origin),
            control: decoded.control?.asked(by: origin), timeoutMilliseconds: decoded.timeoutMilliseconds,
            mayAskPresets: pipeline.settings.permissions.dialogs != .none)
    }

    private func response(
        _ answer: DiagnosisAnswer, to diagnosis: DiagnosisRequest, from peer: Peer, on worker: Int
    ) throws(Problem) -> Response {
        let journal = pipeline.parts.journal
        switch answer {
        case .notRun(let answer):
            _ = try journal.conclude(answer, of: diagnosis.check.request, from: peer, on: worker)
            throw Problem(.draining, "the diagnosis was cancelled", headers: [Problem.retryAfter])
        case .finished(let record, let report):
            _ = try journal.conclude(.result(record.check), of: record.request, from: peer, on: worker)
            for entry in record.experiments {
                journal.noteAsked()
                _ = journal.concludeItem(.result(entry.result), of: entry.request, from: peer, on: worker)
            }
            return ResponseFactory.json(DiagnosisEncoder(prober: pipeline.settings.prober).line(report, of: record))
        }
    }
}

extension ClientCheck {
    /// Takes the answer of a diagnosis.
    fileprivate func end(with answer: DiagnosisAnswer) {
        guard case .finished(let record, _) = answer else { return }
        end(with: .result(record.check))
        for experiment in record.experiments { end(with: .result(experiment.result)) }
    }
}
