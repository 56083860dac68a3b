internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// What is done to a socket between socket(2) and connect(2).
struct SocketSetup {
    let plan: AttemptPlan

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
            try bind(socket, towards: endpoint)
        } catch {
            throw Refusal(errno: error, phase: .bind)
        }
    }

    private func applyOptions(to socket: borrowing Socket, for endpoint: IPEndpoint) throws(Errno) {
        let options = request.socket
        // Multipath TCP does not have the option: its failures come without the ICMP message behind them.
        if !options.mptcp { try socket.setReceivesErrors(true) }
        if let ttl = options.ttl { try socket.setTimeToLive(ttl) }
        if let dscp = options.dscp { try socket.setCodePoint(dscp) }
        if let mark = options.mark { try socket.setMark(mark) }
        guard case .tcp = request.target.peer else { return }
        if let count = options.tcpSynRetries { try socket.setSynRetries(count) }
        if let md5Key = plan.md5Key { try socket.setMD5Key(md5Key, for: endpoint) }
        if options.tcpFastOpen { try socket.setFastOpen() }
    }

    private func bind(_ socket: borrowing Socket, towards endpoint: IPEndpoint) throws(Errno) {
        if let interface = request.bind.interface { try socket.bindToInterface(interface) }
        guard request.bind.bindsName else { return }
        let port = request.bind.port ?? 0
        // Without it bind(2) looks for a port that is free towards everybody, through all of TIME_WAIT: 24 times slower.
        if port == 0 { try socket.setBindsAddressOnly() }
        let address = request.bind.address ?? endpoint.address.wildcard
        try socket.bind(to: IPEndpoint(address: address, port: port))
    }
}

extension IPAddress {
    /// The address of the same family that stands for all of this machine's: INADDR_ANY, in6addr_any.
    fileprivate var wildcard: IPAddress {
        switch self {
        case .v4: .v4(IPv4Address(bits: 0))
        case .v6: .v6(IPv6Address(bits: 0))
        }
    }
}
