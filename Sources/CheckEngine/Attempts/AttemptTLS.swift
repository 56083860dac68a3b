internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import STARTTLS
internal import SocketIO
internal import TLS

/// The TLS of one attempt: what is said in front of it, the handshake, and the channel behind it.
final class AttemptTLS {
    private let plan: AttemptPlan
    private let options: TLSOptions
    private let deadline: MonotonicTime
    /// There once the handshake has begun; it takes plaintext once that is completed.
    private(set) var channel: TLSChannel?
    /// How much of the check's time TLS took so far.
    private(set) var nanoseconds: Int64 = 0

    init(plan: AttemptPlan, options: TLSOptions, deadline: MonotonicTime) {
        self.plan = plan
        self.options = options
        self.deadline = deadline
    }

    /// The peer was, or is still, asked for TLS in its own protocol: no handshake has begun.
    var isBeforeHandshake: Bool { options.startTLS != nil && channel == nil }

    /// Gets the peer to begin with TLS, and runs the handshake; once for each attempt.
    func begin(on socket: borrowing Socket, token: SlotToken) async -> TLSHandshakeEnding {
        let begin = Clock.now()
        let ending = await negotiateAndShakeHands(on: socket, token: token)
        nanoseconds += Clock.now().since(begin)
        return ending
    }

    private func negotiateAndShakeHands(on socket: borrowing Socket, token: SlotToken) async -> TLSHandshakeEnding {
        if let protocolName = options.startTLS {
            let ending = await protocolName.negotiate(
                host: options.serverName ?? hostName, on: socket, token: token, reactor: plan.reactor,
                until: deadline)
            guard ending == .completed else { return ending }
        }
        do throws(TLSHandshakeFailure) {
            return try await openChannel().handshake(
                on: socket, token: token, reactor: plan.reactor, until: deadline)
        } catch {
            return .failed(error)
        }
    }

    private func openChannel() throws(TLSHandshakeFailure) -> TLSChannel {
        if let channel { return channel }
        let host = plan.hostAndPort?.0
        let channel = try plan.contexts.channel(for: options, host: host, material: plan.tlsMaterial)
        self.channel = channel
        return channel
    }

    private var hostName: String? {
        switch plan.hostAndPort?.0 {
        case .name(let name): name
        case .address(let address): address.text
        case nil: nil
        }
    }

    /// Ends the channel in good order, if there is one.
    func sayGoodbye(on socket: borrowing Socket) {
        channel?.sayGoodbye(on: socket)
    }
}

// TCP Fast Open: the ClientHello leaves with the SYN.
extension AttemptTLS {
    /// Sends the ClientHello as far as the kernel takes it; `begin` sends the rest.
    /// - Returns: 0: nothing of a dialog has left.
    func sendFirstFlight(on socket: borrowing Socket) throws(Errno) -> Int {
        // Where there is no channel, `begin` says why.
        if let channel = try? openChannel() { channel.noteSent(try socket.sendFirst(channel.firstFlight())) }
        return 0
    }
}
