package import CheckModel
internal import NetworkTypes
package import StrictJSON

/// Writes traces.
package struct TraceEncoder {
    /// Whether the addresses of hops and the prober's own port are null (profile `public`).
    private let hidesPath: Bool

    package init(hidesPath: Bool) {
        self.hidesPath = hidesPath
    }

    /// The member `trace`.
    package func writeMember(_ trace: TraceReport, to writer: inout JSONWriter) {
        writer.member("trace")
        writer.beginObject()
        writer.member("hops")
        writer.beginArray()
        for hop in trace.hops { write(hop, to: &writer) }
        writer.endArray()
        writer.member("reached")
        writer.bool(trace.reached)
        let last = trace.lastAnswer
        writer.member("last_answer_ttl")
        writer.integer(last?.ttl)
        writeAddress("last_answer_from", last?.from, to: &writer)
        writer.member("flow")
        writer.string(trace.flow.rawValue)
        writer.member("source_port")
        writer.integer(hidesPath ? nil : trace.sourcePort.map(Int.init))
        writer.member("stop")
        writer.string(trace.stop.rawValue)
        writer.member("mtu")
        if let mtu = trace.mtu { write(mtu, to: &writer) } else { writer.null() }
        writer.member("duration_ms")
        writer.milliseconds(nanoseconds: trace.durationNanoseconds)
        writer.endObject()
    }

    private func write(_ hop: TraceHop, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("ttl")
        writer.integer(hop.ttl)
        writeAddress("from", hop.from, to: &writer)
        writer.member("rtt_ms")
        if let rtt = hop.rttNanoseconds { writer.milliseconds(nanoseconds: rtt) } else { writer.null() }
        if let icmp = hop.icmp {
            AttemptEncoder.write(icmp, showsSender: !hidesPath, to: &writer)
        } else {
            writer.member("icmp")
            writer.null()
        }
        writer.member("others")
        writer.beginArray()
        if !hidesPath {
            for address in hop.others { writer.address(address) }
        }
        writer.endArray()
        writer.endObject()
    }

    private func write(_ mtu: PathMTU, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("value")
        writer.integer(mtu.value)
        writeAddress("from", mtu.from, to: &writer)
        writer.member("ttl")
        writer.integer(mtu.ttl)
        writer.endObject()
    }

    private func writeAddress(_ name: StaticString, _ address: IPAddress?, to writer: inout JSONWriter) {
        writer.member(name)
        if let address, !hidesPath { writer.address(address) } else { writer.null() }
    }
}
