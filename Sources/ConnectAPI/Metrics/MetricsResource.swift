internal import CheckEngine
internal import HTTPServer
internal import Metrics

/// `/metrics`.
enum MetricsResource {
    static func text(_ head: RequestHead, _ parts: ServiceParts, under settings: ServiceSettings) throws(Problem)
        -> Response
    {
        try QueryRule.acceptNone(head)
        let document = MetricsDocument(
            metrics: parts.metrics, pool: parts.pool, memory: parts.memory, monitors: parts.monitors.monitors, version: parts.version,
            certificateExpiry: settings.certificateExpiry)
        let format = ExpositionFormat(accept: head.header("accept"))
        let text = try parts.documents.lend { () throws(Problem) in document.text(in: format) }
        return ResponseFactory.text(sharing: text, as: format.contentType)
    }
}
