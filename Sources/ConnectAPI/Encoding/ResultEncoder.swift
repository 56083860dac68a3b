package import CheckModel
package import StrictJSON

/// Writes results as JSON, the members in the order of the specification.
package struct ResultEncoder: Sendable {
    /// The prober's name; nil hides it, and with it all local addresses: the profile `public`.
    package let prober: String?

    package init(prober: String?) {
        self.prober = prober
    }

    /// One result, followed by a newline.
    package func line(_ result: CheckResult, of request: CheckRequest) -> [UInt8] {
        var writer = JSONWriter(reserving: 1536)
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
    package func write(_ result: CheckResult, of request: CheckRequest, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("schema")
        writer.integer(1)
        writeEcho(of: request, to: &writer)
        writer.member("ok")
        writer.bool(result.ok)
        writer.member("outcome")
        writer.string(result.outcome.word)
        writer.member("phase")
        writer.string(result.phase.rawValue)
        if let error = result.error { ErrorEncoder.writeMember(error, to: &writer) }
        writer.member("attempts")
        writer.beginArray()
        let attempts = AttemptEncoder(hidesLocal: prober == nil)
        for attempt in result.attempts { attempts.write(attempt, to: &writer) }
        writer.endArray()
        if let resolution = result.resolution { write(resolution, to: &writer) }
        if let dialog = result.dialog { DialogEncoder.writeMember(dialog, to: &writer) }
        write(result.timings, to: &writer)
        writer.member("started_at")
        writer.string(Timestamp.text(nanosecondsSince1970: result.startedAtNanoseconds))
        if let prober {
            writer.member("prober")
            writer.string(prober)
        }
        writer.endObject()
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
        writer.member("target")
        writer.string(request.target.text)
    }

    private func write(_ resolution: Resolution, to writer: inout JSONWriter) {
        writer.member("resolution")
        writer.beginObject()
        writer.member("name")
        writer.string(resolution.name)
        writer.member("addresses")
        writer.beginArray()
        for address in resolution.addresses { writer.string(address.text) }
        writer.endArray()
        writer.member("source")
        writer.string(resolution.source.rawValue)
        writer.member("canonical_name")
        writer.string(resolution.canonicalName)
        writer.endObject()
    }

    private func write(_ timings: Timings, to writer: inout JSONWriter) {
        writer.member("timings_ms")
        writer.beginObject()
        writer.member("queue")
        writer.milliseconds(nanoseconds: timings.queue)
        writer.member("resolve")
        writer.milliseconds(nanoseconds: timings.resolve)
        writer.member("connect")
        writer.milliseconds(nanoseconds: timings.connect)
        writer.member("tls")
        writer.milliseconds(nanoseconds: timings.tls)
        writer.member("dialog")
        writer.milliseconds(nanoseconds: timings.dialog)
        writer.member("total")
        writer.milliseconds(nanoseconds: timings.total)
        writer.endObject()
    }
}
