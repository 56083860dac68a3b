internal import CheckEngine
internal import HTTPServer

/// `/v1/monitors`: the checks that the service repeats by itself.
enum MonitorResource {
    static func list(
        _ monitors: MonitorSet, _ head: RequestHead, by encoder: ResultEncoder, within budget: DocumentBudget
    ) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        let list = try budget.lend { () throws(Problem) in MonitorEncoder(results: encoder).list(monitors.monitors) }
        return ResponseFactory.json(sharing: list)
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
