internal import CLinux
internal import CheckModel
internal import Dialog
internal import NetworkTypes
internal import Presets
internal import SocketIO

/// Sends the probes of a trace: connects or datagrams with a small TTL, whose failures tell which router answered.
///
/// It needs no privilege: the kernel queues the ICMP messages of a connecting socket (IP_RECVERR).
final class TraceProbe: Sendable {
    /// A plan whose request has nothing but what the packets of a probe need.
    private let plan: AttemptPlan
    let endpoint: IPEndpoint
    /// What a datagram contains; a connect sends nothing.
    private let payload: [UInt8]

    /// - Parameter overUDP: whether to use UDP even if the target is TCP.
    init(_ plan: AttemptPlan, endpoint: IPEndpoint, overUDP: Bool = false) {
        let peer = Target.Peer.udp(.address(endpoint.address), port: endpoint.port)
        let target = plan.request.target
        var request = CheckRequest(target: overUDP ? Target(peer: peer, text: target.text) : target)
        request.bind = plan.request.bind
        request.socket = plan.request.socket
        request.socket.ttl = nil
        // Multipath TCP does not report ICMP messages, and Fast Open would send data.
        request.socket.mptcp = false
        request.socket.tcpFastOpen = false
        self.plan = plan.replacing(request)
        self.endpoint = endpoint
        let question = plan.request.preset?.question(port: endpoint.port).bytes
        payload = question ?? plan.dialog?.firstBytes ?? []
    }

    var isDatagram: Bool { plan.request.target.isDatagram }

    /// Sends one probe, and waits for its answer.
    /// - Parameters:
    ///   - port: the source port; 0 lets the kernel choose. One port can have one probe at a time.
    ///   - patience: how long to wait, in nanoseconds.
    func run(ttl: Int, from port: UInt16 = 0, patience: Int64) async -> ProbeOutcome {
        do throws(Errno) {
            let socket = try Socket(plan.socketKind(for: .ip(endpoint)))
            return await run(on: socket, ttl: ttl, from: port, patience: patience)
        } catch {
            return .unsent(error)
        }
    }

    private func run(
        on socket: borrowing Socket, ttl: Int, from port: UInt16, patience: Int64
    ) async -> ProbeOutcome {
        do throws(Errno) {
            try prepare(socket, ttl: ttl, from: port)
            let token = try plan.reactor.addOnThread(socket.number, for: .anything)
            defer { plan.reactor.removeOnThread(token) }
            let begin = Clock.now()
            if let answer = try start(socket, at: begin) { return .answered(answer) }
            return await wait(on: socket, token, since: begin, patience: patience)
        } catch {
            return .unsent(error)
        }
    }

    /// Sends one more datagram from a connected socket, and waits for its answer.
    func sendAgain(
        on socket: borrowing Socket, _ token: SlotToken, ttl: Int, patience: Int64
    ) async -> ProbeOutcome {
        do throws(Errno) {
            // A late answer to an earlier datagram would be taken for the answer to this one. Bounded, because a peer can
            // send answers without end.
            for _ in 0..<Self.mostLateAnswers {
                guard try socket.takePendingError() != nil || socket.takeICMP() != nil else { break }
            }
            try socket.setTimeToLive(ttl)
            let begin = Clock.now()
            _ = try socket.send(payload[...])
            return await wait(on: socket, token, since: begin, patience: patience)
        } catch {
            return .unsent(error)
        }
    }

    private static let mostLateAnswers = 64

    private func wait(
        on socket: borrowing Socket, _ token: SlotToken, since begin: MonotonicTime, patience: Int64
    ) async -> ProbeOutcome {
        let deadline = begin.advanced(byNanoseconds: patience)
        while true {
            switch await plan.reactor.waitOnThread(token, for: isDatagram ? .readable : .writable, until: deadline) {
            case .ready: if let outcome = outcome(on: socket, since: begin) { return outcome }
            case .deadline: return .silent
            case .cancelled: return .cancelled
            }
        }
    }

    /// Sets the options, and binds the socket.
    func prepare(_ socket: borrowing Socket, ttl: Int, from port: UInt16) throws(Errno) {
        var options = AttemptOptions(of: plan.request)
        options.ttl = UInt8(clamping: ttl)
        options.sourcePort = port
        if port != 0 {
            try socket.setReusesAddress()
            // Otherwise each socket has its own flow label, and routers may choose the path by it.
            if endpoint.address.family == .ipv6 { try socket.clearFlowLabel() }
        }
        // The port is free for the next probe at once, and the target learns that the connection is over.
        if !isDatagram { try socket.setResetsOnClose() }
        do throws(SocketSetup.Refusal) {
            try SocketSetup(plan: plan, options: options).apply(to: socket, for: endpoint)
        } catch {
            throw error.errno
        }
    }

    /// Connects, or sends the datagram.
    /// - Returns: the answer if it is known at once, as on loopback; otherwise nil.
    private func start(_ socket: borrowing Socket, at begin: MonotonicTime) throws(Errno) -> ProbeAnswer? {
        switch try socket.connect(to: .ip(endpoint)) {
        case .inProgress: return nil
        case .complete: break
        }
        guard isDatagram else {
            return ProbeAnswer(of: endpoint.address, .reached, rttNanoseconds: Clock.now().since(begin))
        }
        _ = try socket.send(payload[...])
        return nil
    }

    /// What happened, once the socket is ready; nil if the event belongs to an earlier datagram.
    @inline(never)
    private func outcome(on socket: borrowing Socket, since begin: MonotonicTime) -> ProbeOutcome? {
        let rtt = Clock.now().since(begin)
        let error: Errno?
        do throws(Errno) {
            error = try socket.takePendingError()
        } catch {
            return .unsent(error)
        }
        if let (cause, icmp) = socket.takeICMP() {
            return .answered(ProbeAnswer(icmp, causing: cause, target: endpoint.address, rttNanoseconds: rtt))
        }
        switch error?.rawValue {
        case nil:
            return hasAnswer(socket)
                ? .answered(ProbeAnswer(of: endpoint.address, .reached, rttNanoseconds: rtt)) : nil
        case ECONNRESET, EPIPE:
            return .answered(ProbeAnswer(of: endpoint.address, .reached, rttNanoseconds: rtt))
        case ECONNREFUSED: return .answered(ProbeAnswer(of: endpoint.address, .refused, rttNanoseconds: rtt))
        case ETIMEDOUT: return .silent
        case .some(let number): return .unsent(Errno(number))
        }
    }

    /// Whether the target itself answered: with a datagram, which is taken from the socket, or with a connection.
    private func hasAnswer(_ socket: borrowing Socket) -> Bool {
        isDatagram ? (try? socket.receive(atMost: 1)) != nil : socket.tcpInformation()?.isEstablished ?? false
    }
}

extension Errno {
    /// Whether it says that this machine lacks something for a probe, rather than a way to the target.
    var isExhaustion: Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EADDRINUSE, EAGAIN].contains(rawValue)
    }
}
