internal import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
internal import HTTPServer
internal import NetworkTypes
internal import StrictJSON

/// `/v1/monitors`: the checks that the service repeats on its own.
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
            throw Problem(.notFound, "no such monitor; GET /v1/monitors lists all")
        }
        return ResponseFactory.json(MonitorEncoder(results: encoder).document(monitor))
    }
}

/// Writes monitors: `/v1/monitors` and `/v1/monitors/{name}`.
struct MonitorEncoder {
    let results: ResultEncoder

    /// All monitors, each with its last result. Only the document of a single monitor has the history.
    func list(_ monitors: [CheckEngine.Monitor]) -> [UInt8] {
        var writer = JSONWriter(reserving: 256 + 2048 * monitors.count)
        writer.beginObject()
        writer.member("monitors")
        writer.beginArray()
        for monitor in monitors {
            writer.beginObject()
            writeMembers(of: monitor, monitor.status, to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }

    func document(_ monitor: CheckEngine.Monitor) -> [UInt8] {
        let status = monitor.status
        var writer = JSONWriter(reserving: 2048 + 128 * status.history.count)
        writer.beginObject()
        writeMembers(of: monitor, status, to: &writer)
        writer.member("history")
        writer.beginArray()
        for entry in status.history.entries { write(entry, to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }

    private func writeMembers(
        of monitor: CheckEngine.Monitor, _ status: MonitorStatus, to writer: inout JSONWriter
    ) {
        let definition = monitor.definition
        writer.member("name")
        writer.string(definition.name)
        writer.member("target")
        writer.string(definition.check.request.target.text)
        writer.member("state")
        writer.string(status.state.rawValue)
        writer.member("since")
        Timestamp.write(nanosecondsSince1970: status.sinceNanoseconds, to: &writer)
        writer.member("required")
        writer.bool(definition.isRequired)
        writer.member("interval_ms")
        writer.integer(definition.intervalMilliseconds)
        writer.member("up_after")
        writer.integer(definition.upAfter)
        writer.member("down_after")
        writer.integer(definition.downAfter)
        writer.member("consecutive")
        writer.integer(status.consecutiveCount)
        writer.member("skipped")
        writer.integer(status.skippedCount)
        if let report = status.confirmation { ConfirmationEncoder.writeMember(report, to: &writer) }
        if let trace = status.lastTrace {
            TraceEncoder(hidesPath: results.prober == nil).writeMember(trace, to: &writer)
        }
        writer.member("last")
        if let result = status.lastResult {
            let request = definition.check.request
            results.write(result, of: request, hiding: SentTextRedactor(of: request.dialog), to: &writer)
        } else {
            writer.null()
        }
    }

    private func write(_ entry: MonitorHistory.Entry, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("started_at")
        Timestamp.write(nanosecondsSince1970: entry.startedAtMilliseconds * 1_000_000, to: &writer)
        writer.member("ok")
        writer.bool(entry.ok)
        writer.member("outcome")
        writer.string(entry.outcome.word)
        writer.member("error")
        writer.string(entry.errorName)
        writer.member("total_ms")
        writer.milliseconds(nanoseconds: Int64(entry.totalMicroseconds) * 1000)
        writer.endObject()
    }
}
