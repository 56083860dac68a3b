internal import CheckEngine
internal import HTTPServer
internal import NetworkTypes

/// `POST /v1/checks/batch`: many checks in one request. The response is streamed in both forms.
final class BatchResource: RequestResponder {
    private let pipeline: CheckPipeline

    init(parts: ServiceParts, settings: ServiceSettings) {
        pipeline = CheckPipeline(parts: parts, settings: settings)
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        do throws(Problem) {
            try QueryRule.acceptNone(request.head)
            let batch = try BatchDecoder.batch(request.body, under: pipeline.settings)
            let form = BatchForm(accept: request.head.headers("accept"))
            let session = try BatchSession(batch, as: form, by: pipeline, from: request.head)
            return ResponseFactory.stream(form.headers) { writer in try await session.run(on: worker, writer) }
        } catch {
            return pipeline.parts.refusal(error)
        }
    }
}

/// The two forms of a response with many results.
package enum BatchForm: Sendable {
    /// One document, with the results in the order of the request.
    case document
    /// A line for each result as soon as it is known, then a line with the summary.
    case lines

    private static let linesType = "application/x-ndjson"
    private static let documentType = "application/json"

    package init(accept fields: [String]) {
        self = AcceptHeader(fields).prefers(Self.linesType, to: Self.documentType) ? .lines : .document
    }

    package var headers: [(name: String, value: String)] {
        switch self {
        case .document: [("Content-Type", Self.documentType), ("Vary", "Accept")]
        // nginx would collect the lines.
        case .lines: [("Content-Type", Self.linesType), ("Vary", "Accept"), ("X-Accel-Buffering", "no")]
        }
    }
}
