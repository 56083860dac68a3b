internal import CheckModel
internal import Dialog
internal import ErrorCatalogue
internal import NetworkTypes
internal import STARTTLS
internal import SocketIO
internal import TLS

/// The TLS phase of one attempt: the STARTTLS negotiation, the handshake, and then the channel.
final class TLSAttempt {
    private let plan: AttemptPlan
    private let options: TLSOptions
    /// nil until the handshake begins. It carries plaintext after the handshake.
    private(set) var channel: TLSChannel?
    /// How much of the check's time TLS took so far, in nanoseconds.
    private(set) var nanoseconds: Int64 = 0

    var outcome: PhaseOutcome {
        PhaseOutcome(.tls, nanoseconds: nanoseconds, report: channel.map { .tls($0.report) })
    }

    init(plan: AttemptPlan, options: TLSOptions) {
        self.plan = plan
        self.options = options
    }

    /// Whether the STARTTLS negotiation has not ended.
    var isBeforeHandshake: Bool { options.startTLS != nil && channel == nil }

    /// Negotiates STARTTLS if the request asks for it, and runs the handshake. Call it once for each attempt.
    func start(on socket: SocketStream) async -> TLSHandshakeOutcome {
        let begin = Clock.now()
        let outcome = await negotiateAndShakeHands(on: socket)
        nanoseconds += Clock.now().since(begin)
        return outcome
    }

    private func negotiateAndShakeHands(on stream: SocketStream) async -> TLSHandshakeOutcome {
        if let protocolName = options.startTLS {
            let outcome = await protocolName.negotiate(host: options.serverName ?? hostName, on: stream)
            guard outcome == .completed else { return outcome }
        }
        let channel: TLSChannel
        do throws(TLSHandshakeFailure) {
            channel = try openChannel()
        } catch {
            return .failed(error)
        }
        channel.closesAfterHandshake = plan.endsWithTLS
        return await channel.handshake(on: stream)
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
    func sendCloseNotify(on stream: SocketStream) {
        channel?.sendCloseNotify(on: stream)
    }
}

// TCP Fast Open: the ClientHello leaves with the SYN.
extension TLSAttempt {
    /// Sends the ClientHello as far as the kernel takes it; `start` sends the rest.
    /// - Returns: 0, because no byte of a dialog was sent.
    func sendFirstFlight(on socket: borrowing Socket) throws(Errno) -> Int {
        // If there is no channel, `start` reports why.
        if let channel = try? openChannel() { channel.noteSent(try socket.sendFirst(channel.firstFlight())) }
        return 0
    }
}

// TLS within a dialog, or a dialog within TLS.
extension TLSAttempt: DialogTLS {
    var isEstablished: Bool { channel != nil }

    func receive(from socket: SocketStream, atMost capacity: Int) throws(TLSTransferError) -> [UInt8] {
        // Without a channel, a dialog does not use TLS.
        try channel?.receive(from: socket, atMost: capacity) ?? []
    }

    func send(_ bytes: ArraySlice<UInt8>, on socket: SocketStream) throws(TLSTransferError) -> Int {
        try channel?.send(bytes, on: socket) ?? 0
    }
}
