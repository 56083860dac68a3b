internal import CheckEngine
internal import HTTPServer

/// `/v1/monitors`: the checks that the service repeats by itself.
enum MonitorResource {
    static func list(_ head: RequestHead, _ parts: ServiceParts, by encoder: ResultEncoder) throws(Problem) -> Response
    {
        try QueryRule.acceptNone(head)
        let list = try parts.documents.lend { () throws(Problem) in
            MonitorEncoder(results: encoder).list(parts.monitors.monitors)
        }
        return ResponseFactory.json(sharing: list)
    }

    static func entry(
        _ name: String, _ head: RequestHead, of monitors: MonitorSet, by encoder: ResultEncoder
    ) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        guard let monitor = monitors.monitor(named: name) else {
            throw Problem(.notFound, "there is no monitor of that name; GET /v1/monitors lists them")
        }
        return ResponseFactory.json(MonitorEncoder(results: encoder).document(monitor))
    }
}
