internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// Options and bind(2) of one attempt, applied between socket(2) and connect(2).
struct SocketSetup {
    let plan: AttemptPlan
    let options: AttemptOptions

    private var request: CheckRequest { plan.request }

    /// A step that the kernel refused.
    struct Refusal: Error {
        let errno: Errno
        let phase: Phase
    }

    func apply(to socket: borrowing Socket, for endpoint: IPEndpoint) throws(Refusal) {
        do throws(Errno) {
            try applyOptions(to: socket, for: endpoint)
        } catch {
            throw Refusal(errno: error, phase: .socket)
        }
        do throws(Errno) {
            try bind(socket, to: endpoint)
        } catch {
            throw Refusal(errno: error, phase: .bind)
        }
    }

    private func applyOptions(to socket: borrowing Socket, for endpoint: IPEndpoint) throws(Errno) {
        let requested = request.socket
        // Multipath TCP lacks the option: its failures come without their ICMP message.
        if !requested.mptcp { try socket.setReceivesErrors(true) }
        if let ttl = options.ttl { try socket.setTimeToLive(Int(ttl)) }
        if let dscp = requested.dscp { try socket.setCodePoint(dscp) }
        if let mark = requested.mark { try socket.setMark(mark) }
        guard case .tcp = request.target.peer else { return }
        if let count = requested.tcpSynRetries { try socket.setSynRetries(count) }
        if let md5Key = plan.md5Key { try socket.setMD5Key(md5Key, for: endpoint) }
        if let bytes = requested.maximumSegment { try socket.setMaximumSegment(bytes) }
        if requested.tcpFastOpen { try socket.setFastOpen() }
        if request.isHalfOpen {
            try socket.setDelaysLastACK()
            // Before the connect, so that no way out of the attempt completes the handshake.
            try socket.setResetsOnClose()
        }
    }

    private func bind(_ socket: borrowing Socket, to endpoint: IPEndpoint) throws(Errno) {
        if let interface = request.bind.interface { try socket.bindToInterface(interface) }
        let port = options.sourcePort
        guard request.bind.address != nil || port != 0 else { return }
        // Otherwise bind(2) searches for a port that is free for all peers, through all of TIME_WAIT: 24 times slower.
        if port == 0 { try socket.setBindsAddressOnly() }
        let address = request.bind.address ?? endpoint.address.wildcard
        try socket.bind(to: IPEndpoint(address: address, port: port))
    }
}

extension IPAddress {
    /// The wildcard address of the same family: INADDR_ANY, in6addr_any.
    var wildcard: IPAddress {
        switch self {
        case .v4: .v4(IPv4Address(bits: 0))
        case .v6: .v6(IPv6Address(bits: 0))
        }
    }
}

/// Options that may differ between the attempts of one check.
struct AttemptOptions: Hashable, Sendable {
    /// 0 lets the kernel choose.
    var sourcePort: UInt16
    /// 1 … 255: IP_TTL, IPV6_UNICAST_HOPS; nil for the kernel's default.
    var ttl: UInt8?
    var close: SocketOptions.Close

    /// The options that the request asks for.
    init(of request: CheckRequest) {
        sourcePort = request.bind.port ?? 0
        // A request's TTL is in range, but a request made by hand must not trap.
        ttl = request.socket.ttl.map { UInt8(clamping: $0) }
        close = request.socket.close
    }
}
