internal import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
internal import HTTPServer
internal import StrictJSON

/// `/livez` and `/readyz`.
enum HealthResource {
    private static let liveBody = ResponseFactory.fixed { status("live", to: &$0) }
    private static let readyBody = ResponseFactory.fixed { status("ready", to: &$0) }

    static func live(_ head: RequestHead, _ parts: ServiceParts) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        // Health listeners have a thread of their own, which answers even if a worker does not.
        if parts.pool.isStuck() {
            throw Problem(
                .overloaded, "a worker has been in the same turn of its loop for ten seconds",
                headers: [Problem.retryAfter])
        }
        return ResponseFactory.json(sharing: liveBody)
    }

    /// - Parameter inFull: whether the client may see the monitors.
    static func ready(_ head: RequestHead, _ parts: ServiceParts, inFull: Bool) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        let readiness = Readiness(
            isStarting: !parts.monitors.isFilled, isDraining: parts.draining.isAnnounced,
            monitors: parts.monitors.monitors)
        if readiness.isReady { return ResponseFactory.json(sharing: readyBody) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status")
        writer.string(readiness.isDraining ? "draining" : "not_ready")
        writer.member("detail")
        writer.string(detail(readiness))
        if inFull, !readiness.missing.isEmpty { write(readiness.missing, to: &writer) }
        writer.endObject()
        return ResponseFactory.json(status: 503, writer.finishLine())
    }

    private static func detail(_ readiness: Readiness) -> String {
        if readiness.isDraining { return "The service is stopping; send new work elsewhere." }
        return readiness.isStarting ? "The service is starting." : "Not every required monitor is up."
    }

    private static func write(_ missing: [CheckEngine.Monitor], to writer: inout JSONWriter) {
        writer.member("missing")
        writer.beginArray()
        for monitor in missing {
            let status = monitor.status
            writer.beginObject()
            writer.member("monitor")
            writer.string(monitor.definition.name)
            writer.member("state")
            writer.string(status.state.rawValue)
            writer.member("outcome")
            writer.string(status.lastResult?.outcome.word)
            writer.member("error")
            writer.string(status.lastResult?.error?.name)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func status(_ word: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("status")
        writer.string(word)
        writer.endObject()
    }
}

/// Whether the service is ready for work, and what is missing.
struct Readiness {
    /// Whether the monitors are not loaded yet.
    let isStarting: Bool
    let isDraining: Bool
    /// Required monitors that are not up. A degraded one is missing too: from here its target cannot be reached.
    let missing: [CheckEngine.Monitor]

    var isReady: Bool { !isStarting && !isDraining && missing.isEmpty }

    init(isStarting: Bool, isDraining: Bool, monitors: [CheckEngine.Monitor]) {
        self.isStarting = isStarting
        self.isDraining = isDraining
        missing = monitors.filter { $0.definition.isRequired && $0.state != .up }
    }
}
