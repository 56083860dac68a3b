internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import TLS

/// Performs the TLS handshakes of clients, and gives established connections to the workers.
///
/// A handshake costs as much as twenty plain checks, and anyone may start one. This thread has a lower priority than the
/// workers, so that a flood of handshakes delays only new clients.
actor HandshakeWorker {
    private nonisolated let reactor: Reactor
    private nonisolated let placement: Placement
    private nonisolated let limits: HTTPLimits
    private nonisolated let handler: any RequestHandler
    private nonisolated let log: @Sendable (String) -> Void
    private nonisolated let table: HandshakeTable
    private var context: ServerContext

    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    init(
        _ front: HTTPSFront, placement: Placement, limits: HTTPLimits, handler: any RequestHandler,
        log: @escaping @Sendable (String) -> Void
    ) {
        reactor = front.reactor
        context = front.context
        self.log = log
        table = HandshakeTable(limit: limits.handshakes) { limits.memory.noteRefusal(of: .handshakes) }
        self.placement = placement
        self.limits = limits
        self.handler = handler
    }

    /// The problem for clients of a TLS context that has been replaced.
    static let retired = "The service now accepts other client certificates: connect again."

    private static let niceness: Int32 = 5

    func start() {
        connectd_lower_priority(Self.niceness)
    }

    /// Replaces the TLS context for handshakes that begin from now on. If it admits fewer clients, open connections are ended
    /// too: they may belong to clients that are no longer admitted.
    /// - Parameter done: called on the handshake thread, once no such connection accepts another request.
    nonisolated func replace(_ context: ServerContext, done: @escaping @Sendable () -> Void) {
        Task(executorPreference: reactor.thread) {
            await self.adopt(context)
            done()
        }
    }

    /// Handshakes that end during the wait are judged by the new context.
    private func adopt(_ context: ServerContext) async {
        let mustRetire = !context.admitsClients(of: self.context)
        self.context = context
        if mustRetire { await placement.retireHTTPS() }
    }

    /// Takes ownership of a connection; on any thread.
    nonisolated func adopt(_ accepted: AcceptedConnection) {
        guard let number = table.add(accepted.descriptor, of: accepted.source.peer) else {
            return _ = close(accepted.descriptor)
        }
        Task(executorPreference: reactor.thread) { await self.serve(accepted, number) }
    }

    /// Waits a moment for handshakes in progress.
    func awaitHandshakes() async {
        await awaitIdle(milliseconds: HTTPLimits.firstRequestMilliseconds)
    }

    /// Ends the handshakes in progress, after a moment, and waits until they have ended.
    func stop() async {
        await awaitHandshakes()
        table.close()
        await awaitIdle(milliseconds: 1000)
    }

    /// Whether no handshake is in progress.
    nonisolated var isIdle: Bool { table.count == 0 }

    private func awaitIdle(milliseconds: Int) async {
        let deadline = Clock.now().advanced(byMilliseconds: milliseconds)
        while !isIdle, Clock.now() < deadline {
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 2))
        }
    }

    // MARK: One client

    private enum Outcome {
        case established(ServerSession, MemoryCharge)
        /// The handshake is complete. The client gets this response over TLS.
        case turnedAway(ServerSession, with: Response)
        /// OpenSSL has sent an alert, or this response is sent in plain text.
        case refused(inPlainText: Response?)
        case gone
    }

    private func serve(_ accepted: AcceptedConnection, _ number: UInt64) async {
        let context = context
        guard let token = try? reactor.addOnThread(accepted.descriptor, for: .anything) else {
            table.remove(number)
            close(accepted.descriptor)
            return
        }
        let deadline = Clock.now().advanced(byMilliseconds: limits.handshakeTimeoutMilliseconds)
        let stream = HandshakeStream(
            accepted.descriptor, number: number, token: token, in: table,
            on: SocketStream(on: accepted.descriptor, token: token, reactor: reactor, until: deadline))
        let handshake = await handshake(on: stream, with: accepted.source.peer, by: context)
        let outcome = await admit(handshake, of: accepted, by: context)
        if case .established(let session, let charge) = outcome {
            forget(stream)
            return placement.adoptAdmitted(accepted.established(session, charge))
        }
        await refuse(outcome, on: stream)
        forget(stream)
        close(accepted.descriptor)
    }

    /// Refuses an established connection if there is no room for it, or if the current context would not admit its client.
    /// - Parameter context: the one of the handshake, which may have been replaced.
    private func admit(
        _ outcome: Outcome, of accepted: AcceptedConnection, by context: ServerContext
    ) async -> Outcome {
        guard case .established(let session, _) = outcome else { return outcome }
        if !self.context.admitsClients(of: context) {
            return .turnedAway(session, with: handler.problem(status: 503, detail: Self.retired))
        }
        switch await placement.makeRoom(for: accepted.source.established(session)) {
        case .adopted: break
        case .full: return .turnedAway(session, with: handler.tooManyConnections)
        case .clientIsFull(let client): return .turnedAway(session, with: handler.tooManyConnections(of: client))
        }
        guard let charge = await chargeSession() else {
            limits.memory.noteRefusal(of: .sessions)
            let reason = "Too much memory is in use by TLS connections."
            return .turnedAway(session, with: handler.problem(status: 503, detail: reason))
        }
        return .established(session, charge)
    }

    /// Charges the memory of an established connection. If there is no room, an idle one gives way.
    private func chargeSession() async -> MemoryCharge? {
        if let charge = MemoryCharge(HTTPLimits.sessionCharge, for: .sessions, in: limits.memory) { return charge }
        guard await placement.endIdleSession() else { return nil }
        limits.memory.noteRefusal(of: .sessions)
        return MemoryCharge(HTTPLimits.sessionCharge, for: .sessions, in: limits.memory)
    }

    /// Charges the memory of one handshake. If there is no room, another client is dismissed.
    /// - Returns: nil if there is still no room after 200 ms, or the client has gone.
    private func chargeHandshake(on stream: HandshakeStream) async -> MemoryCharge? {
        var isExpected = true
        let deadline = Clock.now().advanced(byMilliseconds: Self.roomMilliseconds)
        while stream.isWanted {
            if let charge = MemoryCharge(HTTPLimits.handshakeCharge, for: .handshakes, in: limits.memory) {
                table.noteHoldsMemory(stream.number)
                return charge
            }
            if isExpected { guard table.makeRoom(for: stream.number) else { return nil } }
            isExpected = false
            guard Clock.now() < deadline else { return nil }
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 2))
        }
        return nil
    }

    /// How long a dismissed client's task may take to notice.
    private static let roomMilliseconds = 200

    private func forget(_ stream: HandshakeStream) {
        reactor.assumeIsolated { [token = stream.token, number = stream.descriptor] in $0.unwatch(token, number) }
        table.remove(stream.number)
    }

    private func handshake(on stream: HandshakeStream, with peer: Peer, by context: ServerContext) async -> Outcome {
        // A client that sends nothing costs no memory of OpenSSL's.
        guard let first = await stream.awaitFirstRecord() else { return .gone }
        if let answer = answerToPlainText(first) { return .refused(inPlainText: answer) }
        guard let charge = await chargeHandshake(on: stream), let session = ServerSession(context) else { return .gone }
        defer { withExtendedLifetime(charge) {} }
        var total = 0
        while true {
            let count = await feed(session, from: stream)
            total += count
            guard count > 0, total <= HTTPLimits.handshakeBytes, stream.isWanted else { return .gone }
            let progress = session.handshake()
            guard await stream.send(session.takeOutput()) else { return .gone }
            switch progress {
            case .done: return .established(session, charge)
            case .closed, .failed:
                log("a TLS handshake with \(peer.text) failed: \(session.failure ?? "the client closed it")")
                return .refused(inPlainText: nil)
            case .wantsInput: break
            }
        }
    }

    /// Not inlined into the caller, so that the buffer is freed before the next wait.
    /// - Returns: how many bytes came; 0 at the end, or if there is no memory for them.
    private func feed(_ session: ServerSession, from stream: HandshakeStream) async -> Int {
        let bytes = await stream.receive()
        return session.feed(bytes[...]) ? bytes.count : 0
    }

    /// A response for a client that sent plain HTTP: TLS records begin with 22, HTTP requests with a capital letter.
    private func answerToPlainText(_ first: UInt8) -> Response? {
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return nil }
        return handler.problem(
            status: 400, detail: "This port accepts HTTPS only, but the request used plain HTTP: use an https:// URL.")
    }

    private func refuse(_ outcome: Outcome, on stream: HandshakeStream) async {
        switch outcome {
        case .gone, .established:
            return
        case .refused(nil):
            break
        case .refused(let answer?):
            guard await stream.send(PlainAnswer.bytes(of: answer, withoutBody: false)) else { return }
        case .turnedAway(let session, let answer):
            guard session.write(PlainAnswer.bytes(of: answer, withoutBody: false)) else { return }
            session.close()
            guard await stream.send(session.takeOutput()) else { return }
        }
        await stream.linger(within: limits)
    }
}

extension AcceptedConnection {
    fileprivate func established(_ session: ServerSession, _ charge: MemoryCharge) -> AcceptedConnection {
        AcceptedConnection(
            descriptor: descriptor, name: name, nameLength: nameLength,
            source: source.established(session), session: session, charge: charge)
    }
}

extension ConnectionSource {
    /// The same client after its handshake.
    fileprivate func established(_ session: ServerSession) -> ConnectionSource {
        ConnectionSource(
            listener: listener, purpose: purpose, peer: peer, isHTTPS: true, certificateName: session.clientName)
    }
}
