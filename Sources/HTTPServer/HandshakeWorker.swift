internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import TLS

/// Does the TLS handshakes of clients, and gives those that are done to the workers.
///
/// A handshake costs as much as twenty plain checks, and anybody may ask for one: on a thread of its own, which gives way to
/// those of the workers, a flood of them delays new clients alone.
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
        table = HandshakeTable(limit: limits.handshakes)
        self.placement = placement
        self.limits = limits
        self.handler = handler
    }

    /// To clients of a context that was replaced.
    static let retired = "The service has just begun to let in other clients: connect again."

    private static let niceness: Int32 = 5

    func start() {
        connectd_lower_priority(Self.niceness)
    }

    /// For handshakes that begin from now on. Where other clients are let in than before, connections that there are may
    /// not go on: they would keep whom nobody wants any more.
    /// - Parameter done: is called when no such connection takes another request, on the thread of handshakes.
    nonisolated func replace(_ context: ServerContext, done: @escaping @Sendable () -> Void) {
        Task(executorPreference: reactor.thread) {
            await self.adopt(context)
            done()
        }
    }

    /// Whoever is let in meanwhile is so by the new one.
    private func adopt(_ context: ServerContext) async {
        let mustRetire = !context.admitsClients(of: self.context)
        self.context = context
        if mustRetire { await placement.retireHTTPS() }
    }

    /// Takes over a connection, from any thread.
    nonisolated func adopt(_ accepted: AcceptedConnection) {
        guard let number = table.add(accepted.descriptor, of: accepted.source.peer) else {
            return _ = close(accepted.descriptor)
        }
        Task(executorPreference: reactor.thread) { await self.serve(accepted, number) }
    }

    /// Gives handshakes that are under way a moment to end.
    func settle() async {
        await waitForHandshakes(milliseconds: HTTPLimits.firstRequestMilliseconds)
    }

    /// Ends the handshakes that are under way still, and waits until they have ended.
    func stop() async {
        await settle()
        table.close()
        await waitForHandshakes(milliseconds: 1000)
    }

    /// Whether no handshake is under way.
    nonisolated var isIdle: Bool { table.count == 0 }

    private func waitForHandshakes(milliseconds: Int) async {
        let deadline = Clock.now().advanced(byMilliseconds: milliseconds)
        while !isIdle, Clock.now() < deadline {
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 2))
        }
    }

    // MARK: One client

    private enum Ending {
        case established(ServerSession, MemoryCharge)
        /// The handshake is done, and the client is told over TLS why it does not get in.
        case turnedAway(ServerSession, because: String)
        /// The client heard why, or shall hear this in plain text.
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
        var line = HandshakeLine(
            descriptor: accepted.descriptor, number: number, token: token, reactor: reactor, table: table,
            deadline: Clock.now().advanced(byMilliseconds: limits.handshakeTimeoutMilliseconds))
        let ending = admit(await shakeHands(on: line, with: accepted.source.peer, by: context), by: context)
        if case .established(let session, let charge) = ending {
            forget(line)
            return placement.adopt(accepted.established(session, charge))
        }
        await sayGoodbye(ending, on: &line)
        forget(line)
        close(accepted.descriptor)
    }

    /// Whether there is room, and whether whoever is let in by `context` would be still.
    private func admit(_ ending: Ending, by context: ServerContext) -> Ending {
        guard case .established(let session, _) = ending else { return ending }
        if !self.context.admitsClients(of: context) {
            return .turnedAway(session, because: Self.retired)
        }
        guard placement.hasRoom(for: .service) else {
            return .turnedAway(session, because: "There are too many connections.")
        }
        guard let charge = MemoryCharge(HTTPLimits.sessionCharge, for: .sessions, in: limits.memory) else {
            return .turnedAway(session, because: "TLS connections hold as much memory as they may.")
        }
        return .established(session, charge)
    }

    /// What OpenSSL needs for one handshake, from here to its end. Where there is no room, another client makes some.
    private func chargeHandshake(on line: HandshakeLine) async -> MemoryCharge? {
        var isExpected = true
        let deadline = Clock.now().advanced(byMilliseconds: Self.roomMilliseconds)
        while line.isWanted {
            if let charge = MemoryCharge(HTTPLimits.handshakeCharge, for: .handshakes, in: limits.memory) {
                table.noteHoldsMemory(line.number)
                return charge
            }
            if isExpected { guard table.makeRoom(for: line.number) else { return nil } }
            isExpected = false
            guard Clock.now() < deadline else { return nil }
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 2))
        }
        return nil
    }

    /// How long a client that has to give way may take to see it.
    private static let roomMilliseconds = 200

    private func forget(_ line: HandshakeLine) {
        reactor.assumeIsolated { $0.unwatch(line.token, line.descriptor) }
        table.remove(line.number)
    }

    private func shakeHands(on line: HandshakeLine, with peer: Peer, by context: ServerContext) async -> Ending {
        // What a connection costs OpenSSL is for those that say something.
        guard let first = await line.awaitFirstRecord() else { return .gone }
        if let answer = answerToPlainText(first) { return .refused(inPlainText: answer) }
        guard let charge = await chargeHandshake(on: line), let session = ServerSession(context) else { return .gone }
        defer { withExtendedLifetime(charge) {} }
        var total = 0
        while true {
            let count = await feed(session, from: line)
            total += count
            guard count > 0, total <= HTTPLimits.handshakeBytes, line.isWanted else { return .gone }
            let progress = session.handshake()
            guard await line.send(session.takeOutput()) else { return .gone }
            switch progress {
            case .done: return .established(session, charge)
            case .closed, .failed:
                log("a TLS handshake with \(peer.text) failed: \(session.failure ?? "the client closed it")")
                return .refused(inPlainText: nil)
            case .wantsInput: break
            }
        }
    }

    /// A function of its own: the buffer is freed before the next wait.
    /// - Returns: how many bytes came; 0 at the end.
    private func feed(_ session: ServerSession, from line: HandshakeLine) async -> Int {
        let bytes = await line.receive()
        session.feed(bytes[...])
        return bytes.count
    }

    /// Records of TLS begin with 22, requests of HTTP with a capital letter.
    private func answerToPlainText(_ first: UInt8) -> Response? {
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return nil }
        return handler.problem(
            status: 400, detail: "This port speaks HTTPS, and the request came in plain HTTP: ask for an https:// URL.")
    }

    private func sayGoodbye(_ ending: Ending, on line: inout HandshakeLine) async {
        switch ending {
        case .gone, .established:
            return
        case .refused(nil):
            break
        case .refused(let answer?):
            guard await line.send(PlainAnswer.bytes(of: answer, withoutBody: false)) else { return }
        case .turnedAway(let session, let reason):
            let answer = handler.problem(status: 503, detail: reason)
            guard session.write(PlainAnswer.bytes(of: answer, withoutBody: false)) else { return }
            session.close()
            guard await line.send(session.takeOutput()) else { return }
        }
        await line.linger(within: limits)
    }
}

extension AcceptedConnection {
    fileprivate func established(_ session: ServerSession, _ charge: MemoryCharge) -> AcceptedConnection {
        AcceptedConnection(
            descriptor: descriptor, name: name, nameLength: nameLength,
            source: ConnectionSource(
                listener: source.listener, purpose: source.purpose, peer: source.peer, isHTTPS: true,
                certificateName: session.clientName),
            session: session, charge: charge)
    }
}
