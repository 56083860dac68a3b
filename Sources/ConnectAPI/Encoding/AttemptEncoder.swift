internal import CheckModel
internal import StrictJSON

/// Writes attempts.
struct AttemptEncoder {
    /// Leaves out what tells about the prober's own side.
    let hidesLocal: Bool

    func write(_ attempt: AttemptResult, to writer: inout JSONWriter) {
        writer.beginObject()
        writeEndpoint(attempt.endpoint, to: &writer)
        writer.member("outcome")
        writer.string(attempt.outcome.word)
        writer.member("phase")
        writer.string(attempt.phase.rawValue)
        if let error = attempt.error { ErrorEncoder.writeMember(error, to: &writer) }
        if let local = attempt.local, !hidesLocal {
            writer.member("local")
            write(local, to: &writer)
        }
        if case .ip = attempt.endpoint { writePeer(attempt.peer, to: &writer) }
        if let credentials = attempt.peerCredentials { write(credentials, to: &writer) }
        writer.member("start_ms")
        writer.milliseconds(nanoseconds: attempt.startNanoseconds)
        writer.member("duration_ms")
        writer.milliseconds(nanoseconds: attempt.durationNanoseconds)
        if let icmp = attempt.icmp, !(hidesLocal && icmp.from == attempt.local?.address) { write(icmp, to: &writer) }
        if let information = attempt.tcpInformation { write(information, to: &writer) }
        writer.endObject()
    }

    private func writeEndpoint(_ endpoint: Endpoint, to writer: inout JSONWriter) {
        switch endpoint {
        case .ip(let endpoint):
            writeMembers(of: endpoint, to: &writer)
            writer.member("family")
            writer.string(endpoint.address.family.rawValue)
        case .unix(let address):
            writer.member("path")
            writer.string(address.text)
            writer.member("family")
            writer.string("unix")
        }
    }

    private func writePeer(_ peer: IPEndpoint?, to writer: inout JSONWriter) {
        writer.member("peer")
        if let peer { write(peer, to: &writer) } else { writer.null() }
    }

    private func write(_ endpoint: IPEndpoint, to writer: inout JSONWriter) {
        writer.beginObject()
        writeMembers(of: endpoint, to: &writer)
        writer.endObject()
    }

    private func writeMembers(of endpoint: IPEndpoint, to writer: inout JSONWriter) {
        writer.member("address")
        writer.string(endpoint.address.text)
        writer.member("port")
        writer.integer(Int(endpoint.port))
    }

    private func write(_ credentials: PeerCredentials, to writer: inout JSONWriter) {
        writer.member("peer_credentials")
        writer.beginObject()
        writer.member("pid")
        writer.integer(Int(credentials.pid))
        writer.member("uid")
        writer.integer(Int(credentials.uid))
        writer.member("gid")
        writer.integer(Int(credentials.gid))
        writer.endObject()
    }

    private func write(_ icmp: ICMPMessage, to writer: inout JSONWriter) {
        writer.member("icmp")
        writer.beginObject()
        writer.member("type")
        writer.integer(Int(icmp.type))
        writer.member("code")
        writer.integer(Int(icmp.code))
        writer.member("meaning")
        writer.string(icmp.meaning)
        writer.member("from")
        writer.string(icmp.from.text)
        writer.endObject()
    }

    private func write(_ information: TCPInformation, to writer: inout JSONWriter) {
        writer.member("tcp_info")
        writer.beginObject()
        writer.member("syn_retransmits")
        writer.integer(Int(information.synRetransmits))
        writer.member("rtt_us")
        writer.integer(Int(information.rttMicroseconds))
        writer.member("rttvar_us")
        writer.integer(Int(information.rttVarianceMicroseconds))
        writer.member("retransmits")
        writer.integer(Int(information.retransmits))
        writer.member("snd_mss")
        writer.integer(Int(information.sendMSS))
        writer.member("pmtu")
        writer.integer(Int(information.pathMTU))
        writer.endObject()
    }
}
