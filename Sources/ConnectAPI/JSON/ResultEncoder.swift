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

    /// - Parameters:
    ///   - redactor: for the dialog of a monitor; nil for a dialog of the request itself.
    ///   - index: the number of the check in its batch; nil for a check that is not in a batch.
    ///   - place: where the check of a batch with `from` ran; nil for other checks.
    func write(
        _ result: CheckResult, of request: CheckRequest, hiding redactor: SentTextRedactor?, index: Int? = nil,
        place: String? = nil, to writer: inout JSONWriter
    ) {
        writer.piece("{\"schema\":1,", opening: 1)
        if let index { write(index: index, to: &writer) }
        if let place { write(place: place, to: &writer) }
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
        if let after = result.after { HoldEncoder.writeMember(after, to: &writer) }
        if let rounds = result.rounds { RoundsEncoder.writeMember(rounds.statistics, to: &writer) }
        if let tls = result.tls { TLSEncoder.writeMember(tls, to: &writer) }
        if let dialog = result.dialog {
            DialogEncoder.writeMember(redactor.map { $0.redacted(dialog) } ?? dialog, to: &writer)
        }
        if let answer = result.answer { AnswerEncoder(hidesLocal: prober == nil).writeMember(answer, to: &writer) }
        if let trace = result.trace { TraceEncoder(hidesPath: prober == nil).writeMember(trace, to: &writer) }
        writeEnd(result.timings, result.startedAtNanoseconds, request.origin, to: &writer)
    }

    /// The members that follow the phases, and the end of the result.
    func writeEnd(
        _ timings: Timings, _ startedAtNanoseconds: Int64, _ origin: RequestOrigin?, to writer: inout JSONWriter
    ) {
        write(timings, to: &writer)
        writer.piece("\"started_at\":")
        Timestamp.write(nanosecondsSince1970: startedAtNanoseconds, to: &writer)
        if let origin { write(origin, to: &writer) }
        if let prober {
            writer.piece("\"prober\":")
            writer.string(prober)
        }
        writer.endObject()
    }

    func write(index: Int, to writer: inout JSONWriter) {
        writer.piece("\"index\":")
        writer.integer(index)
    }

    func write(place: String?, to writer: inout JSONWriter) {
        writer.member("place")
        writer.string(place)
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
        writeEcho(id: request.id, labels: request.labels, target: request.target.text, to: &writer)
    }

    /// The members that come from the request.
    func writeEcho(id: String?, labels: [Label]?, target: String, to writer: inout JSONWriter) {
        if let id {
            writer.member("id")
            writer.string(id)
        }
        if let labels {
            writer.member("labels")
            writer.beginObject()
            for label in labels {
                writer.member(escaping: label.name)
                writer.string(label.value)
            }
            writer.endObject()
        }
        writer.piece("\"target\":")
        writer.string(target)
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
        for phase in TimedPhase.inOrder where phase != .hold || timings[.hold] > 0 {
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
        case .hold: "\"hold\":"
        case .tls: "\"tls\":"
        case .dialog: "\"dialog\":"
        case .total: "\"total\":"
        }
    }
}
