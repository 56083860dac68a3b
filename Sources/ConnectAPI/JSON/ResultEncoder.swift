package import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
package import StrictJSON

/// Writes results as JSON, with the members in the order of the specification.
package struct ResultEncoder: Sendable {
    /// The prober's name; nil hides it and all local addresses (profile `public`).
    package let prober: String?

    package init(prober: String?) {
        self.prober = prober
    }

    /// One result, followed by a newline.
    package func line(_ result: CheckResult, of request: CheckRequest) -> [UInt8] {
        // Most results fit in this size, which the allocator keeps in its thread cache. An error has a long
        // explanation, twice.
        var writer = JSONWriter(reserving: result.error == nil ? 1024 : 2560)
        write(result, of: request, to: &writer)
        return writer.finishLine()
    }

    /// An array of results, followed by a newline.
    package func array(_ results: [CheckResult], of requests: [CheckRequest]) -> [UInt8] {
        var writer = JSONWriter(reserving: 1536 * results.count)
        writer.beginArray()
        for (result, request) in zip(results, requests) { write(result, of: request, to: &writer) }
        writer.endArray()
        return writer.finishLine()
    }

    /// One result as a value of a larger document.
    ///
    /// Most of it is the same in every result. It is written in pieces: one store instead of several members.
    package func write(_ result: CheckResult, of request: CheckRequest, to writer: inout JSONWriter) {
        write(result, of: request, hiding: nil, to: &writer)
    }

    /// - Parameter redactor: for the dialog of a monitor; nil for a dialog of the request itself.
    func write(
        _ result: CheckResult, of request: CheckRequest, hiding redactor: SentTextRedactor?, to writer: inout JSONWriter
    ) {
        writer.piece("{\"schema\":1,", opening: 1)
        writeEcho(of: request, to: &writer)
        writer.piece(result.ok ? "\"ok\":true," : "\"ok\":false,")
        OutcomeEncoder.write(result.outcome, result.phase, to: &writer)
        if result.outcome == .associated { writer.piece("\"verified\":false,") }
        let begin = writer.bytes.count
        if let error = result.error { ErrorEncoder.writeMember(error, to: &writer) }
        let written = result.error.map { WrittenError(report: $0, range: begin..<writer.bytes.count) }
        writer.piece("\"attempts\":")
        writer.beginArray()
        let attempts = AttemptEncoder(hidesLocal: prober == nil)
        for attempt in result.attempts { attempts.write(attempt, knowing: written, to: &writer) }
        writer.endArray()
        if let resolution = result.resolution { write(resolution, to: &writer) }
        if let tls = result.tls { TLSEncoder.writeMember(tls, to: &writer) }
        if let dialog = result.dialog {
            DialogEncoder.writeMember(redactor.map { $0.redacted(dialog) } ?? dialog, to: &writer)
        }
        write(result.timings, to: &writer)
        writer.piece("\"started_at\":")
        Timestamp.write(nanosecondsSince1970: result.startedAtNanoseconds, to: &writer)
        if let origin = request.origin { write(origin, to: &writer) }
        if let prober {
            writer.piece("\"prober\":")
            writer.string(prober)
        }
        writer.endObject()
    }

    private func write(_ origin: RequestOrigin, to writer: inout JSONWriter) {
        if let requestID = origin.requestID {
            writer.member("request_id")
            writer.string(requestID)
        }
        if let traceparent = origin.traceparent {
            writer.member("traceparent")
            writer.string(traceparent)
        }
    }

    private func writeEcho(of request: CheckRequest, to writer: inout JSONWriter) {
        if let id = request.id {
            writer.member("id")
            writer.string(id)
        }
        if let labels = request.labels {
            writer.member("labels")
            writer.beginObject()
            for label in labels {
                writer.member(escaping: label.name)
                writer.string(label.value)
            }
            writer.endObject()
        }
        writer.piece("\"target\":")
        writer.string(request.target.text)
    }

    private func write(_ resolution: Resolution, to writer: inout JSONWriter) {
        writer.piece("\"resolution\":{\"name\":", opening: 1)
        writer.string(resolution.name)
        writer.piece("\"addresses\":")
        writer.beginArray()
        for address in resolution.addresses { writer.address(address) }
        writer.endArray()
        if resolution.source == .literal, resolution.canonicalName == nil {
            writer.piece("\"source\":\"literal\",\"canonical_name\":null,")
        } else {
            writer.member("source")
            writer.string(resolution.source.rawValue)
            writer.member("canonical_name")
            writer.string(resolution.canonicalName)
        }
        if resolution.isTruncated { writer.piece("\"truncated\":true,") }
        writer.endObject()
    }

    private func write(_ timings: Timings, to writer: inout JSONWriter) {
        writer.piece("\"timings_ms\":{", opening: 1)
        for phase in TimedPhase.inOrder {
            writer.piece(phase.member)
            writer.milliseconds(nanoseconds: timings[phase])
        }
        writer.endObject()
    }
}

extension TimedPhase {
    /// The name as a piece of JSON.
    fileprivate var member: StaticString {
        switch self {
        case .queue: "\"queue\":"
        case .resolve: "\"resolve\":"
        case .connect: "\"connect\":"
        case .tls: "\"tls\":"
        case .dialog: "\"dialog\":"
        case .total: "\"total\":"
        }
    }
}
