package import CheckModel
package import ErrorCatalogue
package import NetworkTypes
internal import StrictJSON

/// The document of a trace without a check.
package struct TraceDocument {
    private let target: Target
    private let prober: String
    private let startedAtNanoseconds: Int64

    /// - Parameter startedAtNanoseconds: wall-clock time, nanoseconds since 1970.
    package init(target: Target, prober: String, startedAtNanoseconds: Int64) {
        self.target = target
        self.prober = prober
        self.startedAtNanoseconds = startedAtNanoseconds
    }

    /// - Parameter sentence: what the trace says, for people.
    package func line(_ trace: TraceReport, to endpoint: IPEndpoint, sentence: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 4096)
        begin(isReached: trace.reached, to: &writer)
        writer.member("address")
        writer.address(endpoint.address)
        writer.member("port")
        writer.integer(Int(endpoint.port))
        TraceEncoder(hidesPath: false).writeMember(trace, to: &writer)
        end(sentence, to: &writer)
        return writer.finishLine()
    }

    /// The document if no address could be traced.
    package func line(_ error: ErrorReport?, sentence: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 4096)
        begin(isReached: false, to: &writer)
        if let error { ErrorEncoder.writeMember(error, to: &writer) }
        writer.member("trace")
        writer.null()
        end(sentence, to: &writer)
        return writer.finishLine()
    }

    private func begin(isReached: Bool, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("schema")
        writer.integer(1)
        writer.member("target")
        writer.string(target.text)
        writer.member("ok")
        writer.bool(isReached)
    }

    private func end(_ sentence: String, to writer: inout JSONWriter) {
        writer.member("sentence")
        writer.string(sentence)
        writer.member("started_at")
        Timestamp.write(nanosecondsSince1970: startedAtNanoseconds, to: &writer)
        writer.member("prober")
        writer.string(prober)
        writer.endObject()
    }
}
