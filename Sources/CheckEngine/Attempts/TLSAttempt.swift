internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import STARTTLS
internal import SocketIO
internal import TLS

/// The TLS phase of one attempt: the STARTTLS negotiation, the handshake, and then the channel.
final class TLSAttempt {
    private let plan: AttemptPlan
    private let options: TLSOptions
    private let deadline: MonotonicTime
    /// nil until the handshake begins. It carries plaintext after the handshake.
    private(set) var channel: TLSChannel?
    /// How much of the check's time TLS took so far, in nanoseconds.
    private(set) var nanoseconds: Int64 = 0

    var outcome: PhaseOutcome {
        PhaseOutcome(.tls, nanoseconds: nanoseconds, report: channel.map { .tls($0.report) })
    }

    init(plan: AttemptPlan, options: TLSOptions, deadline: MonotonicTime) {
        self.plan = plan
        self.options = options
        self.deadline = deadline
    }

    /// Whether the STARTTLS negotiation has not ended.
    var isBeforeHandshake: Bool { options.startTLS != nil && channel == nil }

    /// Negotiates STARTTLS if the request asks for it, and runs the handshake. Call it once for each attempt.
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

    /// Sends close_notify, if there is a channel.
    func sendCloseNotify(on socket: borrowing Socket) {
        channel?.sendCloseNotify(on: socket)
    }
}

// TCP Fast Open: the ClientHello leaves with the SYN.
extension TLSAttempt {
    /// Sends the ClientHello as far as the kernel takes it; `begin` sends the rest.
    /// - Returns: 0, because no byte of a dialog was sent.
    func sendFirstFlight(on socket: borrowing Socket) throws(Errno) -> Int {
        // If there is no channel, `begin` reports why.
        if let channel = try? openChannel() { channel.noteSent(try socket.sendFirst(channel.firstFlight())) }
        return 0
    }
}
