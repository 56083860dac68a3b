internal import AccessPolicy
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import StrictJSON

/// Writes attempts.
struct AttemptEncoder {
    /// Whether to omit the prober's own side.
    let hidesLocal: Bool

    /// - Parameter written: the result's own error, which is usually the error of an attempt.
    func write(_ attempt: AttemptResult, knowing written: WrittenError?, to writer: inout JSONWriter) {
        writer.beginObject()
        writeEndpoint(attempt.endpoint, to: &writer)
        OutcomeEncoder.write(attempt.outcome, attempt.phase, to: &writer)
        if let error = attempt.error {
            if let written, written.report === error {
                writer.again(written.range)
            } else {
                ErrorEncoder.writeMember(error, to: &writer)
            }
        }
        if let local = attempt.local, !hidesLocal {
            writer.piece("\"local\":")
            write(local, to: &writer)
        }
        if case .ip = attempt.endpoint { writePeer(attempt.peer, to: &writer) }
        if let credentials = attempt.peerCredentials { write(credentials, to: &writer) }
        writer.piece("\"start_ms\":")
        writer.milliseconds(nanoseconds: attempt.startNanoseconds)
        writer.piece("\"duration_ms\":")
        writer.milliseconds(nanoseconds: attempt.durationNanoseconds)
        if let icmp = attempt.icmp, !(hidesLocal && isOurs(icmp, attempt)) {
            let showsSender = !hidesLocal || attempt.icmpSender == .target || icmp.isFromInternet
            Self.write(icmp, showsSender: showsSender, to: &writer)
        }
        if let information = attempt.tcpInformation { write(information, of: attempt, to: &writer) }
        writer.endObject()
    }

    private func writeEndpoint(_ endpoint: Endpoint, to writer: inout JSONWriter) {
        switch endpoint {
        case .ip(let endpoint):
            writeMembers(of: endpoint, to: &writer)
            switch endpoint.address {
            case .v4: writer.piece("\"family\":\"ipv4\",")
            case .v6: writer.piece("\"family\":\"ipv6\",")
            }
        case .unix(let address):
            writer.member("path")
            writer.string(address.text)
            writer.piece("\"family\":\"unix\",")
        }
    }

    private func writePeer(_ peer: IPEndpoint?, to writer: inout JSONWriter) {
        writer.piece("\"peer\":")
        if let peer { write(peer, to: &writer) } else { writer.null() }
    }

    private func write(_ endpoint: IPEndpoint, to writer: inout JSONWriter) {
        writer.beginObject()
        writeMembers(of: endpoint, to: &writer)
        writer.endObject()
    }

    private func writeMembers(of endpoint: IPEndpoint, to writer: inout JSONWriter) {
        writer.piece("\"address\":")
        writer.address(endpoint.address)
        writer.piece("\"port\":")
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

    private func isOurs(_ icmp: ICMPMessage, _ attempt: AttemptResult) -> Bool {
        attempt.icmpSender == .prober || icmp.from == attempt.local?.address
    }

    /// Writes the member `icmp`.
    /// - Parameter showsSender: whether to write `from`; false hides routers of the prober's own network.
    static func write(_ icmp: ICMPMessage, showsSender: Bool, to writer: inout JSONWriter) {
        writer.member("icmp")
        writer.beginObject()
        writer.member("type")
        writer.integer(Int(icmp.type))
        writer.member("code")
        writer.integer(Int(icmp.code))
        writer.member("meaning")
        writer.string(icmp.meaning)
        if showsSender {
            writer.member("from")
            writer.string(icmp.from.text)
        }
        writer.endObject()
    }

    /// Writes `tcp_info`. If the connect failed, it also shows what became of the SYNs.
    private func write(_ information: TCPInformation, of attempt: AttemptResult, to writer: inout JSONWriter) {
        writer.piece("\"tcp_info\":{\"syn_retransmits\":", opening: 1)
        writer.integer(Int(information.synRetransmits))
        writer.piece("\"rtt_us\":")
        writer.integer(Int(information.rttMicroseconds))
        writer.piece("\"rttvar_us\":")
        writer.integer(Int(information.rttVarianceMicroseconds))
        writer.piece("\"retransmits\":")
        writer.integer(Int(information.retransmits))
        writer.piece("\"snd_mss\":")
        writer.integer(Int(information.sendMSS))
        writer.piece("\"pmtu\":")
        writer.integer(Int(information.pathMTU))
        if let hasSentLastACK = attempt.hasSentLastACK {
            writer.member("ack_sent")
            writer.bool(hasSentLastACK)
        }
        if attempt.phase == .connect {
            writer.member("syn_sent")
            writer.integer(Int(information.synSent))
            if let reason = information.unsent {
                writer.member("unsent")
                writer.string(reason.rawValue)
            }
        }
        writer.endObject()
    }
}

extension JSONWriter {
    /// An address as a string.
    mutating func address(_ address: IPAddress) {
        switch address {
        case .v4(let address):
            plainString(atMost: IPv4Address.longestText) {
                address.putText(at: UnsafeMutableBufferPointer(start: $0, count: IPv4Address.longestText))
            }
        case .v6:
            string(address.text)
        }
    }
}

extension ICMPMessage {
    /// Whether clients that must not learn internal addresses may see the sender: it has a global address.
    ///
    /// An IPv4 address inside an IPv6 address must be global, too.
    var isFromInternet: Bool {
        let sender = IPEndpoint(address: from, port: 0)
        return Policy(profile: .public).judge(sender, transport: .udp, isLocal: { _ in false }) == .allow
    }
}
