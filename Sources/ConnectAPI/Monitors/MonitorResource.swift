internal import CheckEngine
internal import HTTPServer

/// `/v1/monitors`: the checks that the service repeats by itself.
enum MonitorResource {
    static func list(
        _ monitors: MonitorSet, _ head: RequestHead, by encoder: ResultEncoder
    ) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.json(MonitorEncoder(results: encoder).list(monitors.monitors))
    }

    static func entry(
        _ name: String, of monitors: MonitorSet, _ head: RequestHead, by encoder: ResultEncoder
    ) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        guard let monitor = monitors.monitor(named: name) else {
            throw Problem(.notFound, "there is no monitor of that name; GET /v1/monitors lists them")
        }
        return ResponseFactory.json(MonitorEncoder(results: encoder).document(monitor))
    }
}
