internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Accepts connections on one worker's thread, and passes each to the worker with the fewest connections.
///
/// With a shared listener, or with SO_REUSEPORT, the kernel spreads connections unevenly. Of 65 connections, one thread
/// got 65 or 43, the other one 0 or 22.
actor Acceptor {
    private struct WatchedListener {
        let socket: ListeningSocket
        let watch: SlotToken
    }

    private nonisolated let reactor: Reactor
    private nonisolated let placement: Placement
    /// Performs the TLS handshakes of the TCP listeners; nil without HTTPS. Health listeners never use TLS.
    private nonisolated let handshakes: HandshakeWorker?
    /// Reads what refused clients still send.
    private nonisolated let localWorker: HTTPWorker
    private nonisolated let handler: any RequestHandler
    private nonisolated let log: @Sendable (String) -> Void
    /// A spare descriptor. It is closed for a moment when the process has no other, so that one client can be refused
    /// with a 503.
    private var reserve: Int32 = -1
    /// The client that uses the spare descriptor, and for how many pauses it has been read.
    private var told: (descriptor: Int32, pauses: Int)?
    private var listeners: [WatchedListener] = []
    /// Whether new clients of inherited sockets are left to the next process.
    private var isHandingOver = false
    private var pause: SlotToken?
    /// The listeners that the pause applies to. A flood of the others does not stop health listeners.
    private var paused: Set<Listener.Purpose> = []
    /// Whether idle connections are being ended for lack of descriptors.
    private var isRelieving = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    /// - Parameter localWorker: the worker on the same thread.
    init(
        reactor: Reactor, localWorker: HTTPWorker, placement: Placement, handshakes: HandshakeWorker?,
        handler: any RequestHandler, log: @escaping @Sendable (String) -> Void
    ) {
        self.reactor = reactor
        self.localWorker = localWorker
        self.placement = placement
        self.handshakes = handshakes
        self.handler = handler
        self.log = log
    }

    func start(_ sockets: [ListeningSocket]) throws(Errno) {
        openReserve()
        for (index, socket) in sockets.enumerated() {
            listeners.append(WatchedListener(socket: socket, watch: try watch(socket, index)))
        }
    }

    /// Makes the kernel ignore new SYNs. Otherwise a client could connect between the last accept(2) and close(2), and be
    /// reset. A client that connects now retries, and is then refused.
    func ignoreNewClients() {
        for listener in listeners where !listener.socket.isInherited {
            if case .ip = listener.socket.address {
                _ = connectd_ignore_new_clients(listener.socket.descriptor.rawValue)
            }
        }
    }

    /// Closes the listeners, so that new clients are refused instead of waiting in a backlog. Clients in the backlog are
    /// accepted first: their connect(2) has succeeded.
    func stop() {
        while let listener = listeners.popLast() {
            reactor.assumeIsolated { $0.unwatch(listener.watch, listener.socket.descriptor.rawValue) }
            listener.socket.removeFile()
            // The next process accepts the backlog of an inherited socket.
            if !listener.socket.isInherited { acceptBacklog(of: listener.socket) }
        }
        removePause()
        if let told = told.take() { close(told.descriptor) }
        if reserve >= 0 { close(reserve) }
        reserve = -1
    }

    /// Accepts no more clients on inherited sockets: they wait for the next process. Health listeners continue.
    /// - Returns: whether there are such sockets.
    func handOver() -> Bool {
        isHandingOver = true
        for listener in listeners where !paused.contains(listener.socket.purpose) {
            setInterest(interest(in: listener), in: listener)
        }
        return listeners.contains { $0.socket.isInherited }
    }

    private func interest(in listener: WatchedListener) -> Readiness {
        isHandingOver && listener.socket.isInherited && listener.socket.purpose == .service ? [] : .readable
    }

    private func watch(_ socket: ListeningSocket, _ index: Int) throws(Errno) -> SlotToken {
        let acceptor = self
        let result: Result<SlotToken, Errno> = reactor.assumeIsolated { reactor in
            do throws(Errno) {
                return .success(
                    try reactor.watch(socket.descriptor.rawValue, for: .readable, edgeTriggered: false) { _ in
                        acceptor.assumeIsolated { $0.accept(on: index) }
                    })
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: Accepting

    /// How many connections are accepted in one turn of the event loop.
    private static let batch = 64

    private func accept(on index: Int) {
        guard index < listeners.count, !paused.contains(listeners[index].socket.purpose) else { return }
        let listener = listeners[index].socket
        switch acceptClients(of: listener, atMost: Self.batch) {
        case .backlogIsEmpty, .mayBeMore: break
        case .cannotRefuse: startPause(of: [listener.purpose])
        case .failed(let error): relieve(listener, error)
        }
    }

    /// Why no more clients are accepted for now.
    private enum Pause {
        case backlogIsEmpty
        case mayBeMore
        /// A further client could only be reset: there is no room for it, and as many refused clients as allowed are still
        /// being read.
        case cannotRefuse
        /// EMFILE, ENFILE, ENOBUFS, ENOMEM.
        case failed(Errno)
    }

    /// Twice SOMAXCONN, so that clients that continue to connect do not keep the listener open.
    private static let mostWaiting = 8192

    private func acceptBacklog(of listener: ListeningSocket) {
        _ = acceptClients(of: listener, atMost: Self.mostWaiting)
    }

    private func acceptClients(of listener: ListeningSocket, atMost count: Int) -> Pause {
        for _ in 0..<count {
            if tls(for: listener) == nil, placement.isMakingRoom(for: listener.purpose) { return .mayBeMore }
            // A client that could only be reset waits in the backlog instead.
            guard canRefuse || tls(for: listener) != nil || placement.mayAdopt(for: listener.purpose) else {
                return .cannotRefuse
            }
            var name = sockaddr_storage()
            var length = socklen_t()
            let number = connectd_accept(listener.descriptor.rawValue, &name, &length)
            guard number < 0 else {
                dispatch(number, name, length, from: listener)
                continue
            }
            let error = Errno.current
            switch error.rawValue {
            case EAGAIN: return .backlogIsEmpty
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .failed(error)
            default: continue  // An error of this one connection (accept(2)): the next one may succeed.
            }
        }
        return .mayBeMore
    }

    private func dispatch(
        _ number: Int32, _ name: sockaddr_storage, _ length: socklen_t, from listener: ListeningSocket
    ) {
        let kind: ListenerKind
        switch listener.address {
        case .ip:
            kind = .tcp
            // Responses are small and written in one piece: Nagle's algorithm would only delay them.
            try? SystemCall.setOption(number, level: Int32(IPPROTO_TCP), name: TCP_NODELAY, value: 1)
        case .unix:
            kind = .unix
        }
        let peer = SocketName.endpoint(from: name).map(Peer.ip) ?? .unix
        let source = ConnectionSource(listener: kind, purpose: listener.purpose, peer: peer)
        let connection = AcceptedConnection(
            descriptor: number, name: name, nameLength: length, source: source, session: nil)
        // A client does not count as a connection during its handshake. It is refused after that if there are too many.
        if let handshakes = tls(for: listener) { return handshakes.adopt(connection) }
        switch placement.adopt(connection) {
        case .adopted: break
        case .full: turnAway(number, handler.tooManyConnections)
        case .clientIsFull(let client): turnAway(number, handler.tooManyConnections(of: client))
        }
    }

    private func tls(for listener: ListeningSocket) -> HandshakeWorker? {
        switch listener.address {
        case .ip: listener.purpose == .service ? handshakes : nil
        case .unix: nil
        }
    }

    // MARK: Too many

    /// Refuses a connection over a limit. What it sends is read for a while, so that the response reaches it.
    private func turnAway(_ number: Int32, _ answer: Response) {
        PlainAnswer.send(answer, to: number, withoutBody: false)
        localWorker.assumeIsolated { $0.linger(on: number) }
    }

    private var canRefuse: Bool { localWorker.assumeIsolated { $0.canLinger } }

    /// Pauses accepting when there is no descriptor or memory. The listener stays ready, so the loop would spin otherwise.
    /// Idle connections give way to the clients in the backlog.
    private func relieve(_ listener: ListeningSocket, _ error: Errno) {
        startPause(of: [.service, .health])
        guard !isRelieving else { return }
        isRelieving = true
        Task(executorPreference: reactor.thread) {
            let count = await self.placement.endIdle()
            await self.relieved(listener, error, endedCount: count)
        }
    }

    /// If no connection has given way, one client gets a 503 with the spare descriptor. Its request is read, because
    /// close(2) with unread bytes sends a reset. The others wait in the backlog for a moment.
    private func relieved(_ listener: ListeningSocket, _ error: Errno, endedCount: Int) {
        isRelieving = false
        guard !listeners.isEmpty else { return }
        let failure = "accept4 failed with errno \(error.rawValue)"
        guard endedCount == 0 else {
            return log("\(failure): ended \(endedCount) idle connections to make room for new ones.")
        }
        guard told == nil, reserve >= 0, tls(for: listener) == nil else { return }
        log("\(failure): no descriptor or memory is left for a connection.")
        close(reserve)
        reserve = -1
        tellOne(on: listener)
    }

    private func tellOne(on listener: ListeningSocket) {
        var name = sockaddr_storage()
        var length = socklen_t()
        let number = connectd_accept(listener.descriptor.rawValue, &name, &length)
        guard number >= 0 else { return openReserve() }
        PlainAnswer.send(handler.tooManyConnections, to: number, withoutBody: false)
        shutdown(number, Int32(SHUT_WR))
        told = (number, 0)
    }

    private static let mostPausesOfTold = 5

    private func readTold() {
        guard let (descriptor, pauses) = told else { return }
        var buffer = [UInt8](repeating: 0, count: 16384)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        told = (descriptor, pauses + 1)
        guard count >= 0 || pauses + 1 >= Self.mostPausesOfTold else { return }
        close(descriptor)
        told = nil
    }

    private func openReserve() {
        guard reserve < 0, told == nil else { return }
        reserve = (try? Descriptor.openForReading(Array("/dev/null".utf8)).release()) ?? -1
    }

    private static let pauseMilliseconds = 20

    private func startPause(of purposes: Set<Listener.Purpose>) {
        let acceptor = self
        paused.formUnion(purposes)
        for listener in listeners where purposes.contains(listener.socket.purpose) { setInterest([], in: listener) }
        // Two listeners may both ask for a pause in the same turn.
        guard pause == nil else { return }
        pause = reactor.assumeIsolated { reactor in
            let timer = reactor.makeTimer { acceptor.assumeIsolated { $0.endPause() } }
            reactor.arm(timer, at: Clock.now().advanced(byMilliseconds: Self.pauseMilliseconds))
            return timer
        }
    }

    private func removePause() {
        if let pause { reactor.assumeIsolated { $0.remove(pause) } }
        pause = nil
        paused = []
    }

    private func endPause() {
        removePause()
        readTold()
        openReserve()
        for listener in listeners { setInterest(interest(in: listener), in: listener) }
    }

    private func setInterest(_ interest: Readiness, in listener: WatchedListener) {
        reactor.assumeIsolated { try? $0.modify(listener.watch, listener.socket.descriptor.rawValue, for: interest) }
    }
}

/// Assigns each connection to the worker with the fewest connections, up to the limit.
final class Placement: Sendable {
    private let workers: [HTTPWorker]
    private let clients: ClientConnections
    private let healthLimit: Int
    private let serviceLimit: Int
    private let next = Atomic<Int>(0)

    /// - Parameter hasHealthListener: whether a share of the connections is reserved for health listeners.
    init(workers: [HTTPWorker], clients: ClientConnections, limits: HTTPLimits, hasHealthListener: Bool) {
        self.workers = workers
        self.clients = clients
        healthLimit = limits.healthShare
        serviceLimit = limits.serviceConnections(besidesHealthListener: hasHealthListener)
    }

    /// What has become of a new connection.
    enum Placing {
        case adopted
        /// There is no room for another connection.
        case full
        /// This client has as many connections as it may have.
        case clientIsFull(String)
    }

    /// Whether there is room for a connection, or an idle one that can give way to it.
    func mayAdopt(for purpose: Listener.Purpose) -> Bool {
        hasRoom(for: purpose) || hasIdle(for: purpose)
    }

    private func hasIdle(for purpose: Listener.Purpose) -> Bool {
        workers.contains { $0.spareCount(for: purpose) > 0 }
    }

    /// How many new connections may wait for idle ones to be closed: they have descriptors beyond the limit.
    private static let mostWaiting = 8

    /// Whether further clients should stay in the backlog until idle connections have been closed.
    func isMakingRoom(for purpose: Listener.Purpose) -> Bool {
        !hasRoom(for: purpose) && workers.reduce(0) { $0 + $1.waitingCount } >= Self.mostWaiting
    }

    private func hasRoom(for purpose: Listener.Purpose) -> Bool {
        let health = workers.reduce(0) { $0 + $1.healthLoad.load(ordering: .relaxed) }
        switch purpose {
        case .health: return health < healthLimit
        case .service: return workers.reduce(0) { $0 + $1.load.load(ordering: .relaxed) } - health < serviceLimit
        }
    }

    /// Gives a connection to a worker. If there is no room, it is the one with the most idle connections, of which one gives
    /// way.
    /// - Returns: `adopted`, unless there is no room; then the caller still has the connection.
    func adopt(_ connection: AcceptedConnection) -> Placing {
        let source = connection.source
        let verdict = verdict(on: source)
        guard verdict == .mustReplace else {
            if verdict == .mustNotConnect { return .clientIsFull(source.clientText) }
            leastLoaded().adopt(connection)
            return .adopted
        }
        guard hasIdle(for: source.purpose) else { return refusal(of: source) }
        var connection = connection
        connection.needsRoom = true
        let worker = workers.max { $0.spareCount(for: source.purpose) < $1.spareCount(for: source.purpose) }
        (worker ?? leastLoaded()).adopt(connection)
        return .adopted
    }

    /// Gives a connection for which `makeRoom` has found room to the worker with the fewest.
    func adoptAdmitted(_ connection: AcceptedConnection) {
        leastLoaded().adopt(connection)
    }

    /// Ends an idle connection if there is no room.
    /// - Returns: `adopted` if there is room now.
    func makeRoom(for source: ConnectionSource) async -> Placing {
        switch verdict(on: source) {
        case .mayConnect: return .adopted
        case .mustNotConnect: return .clientIsFull(source.clientText)
        case .mustReplace: break
        }
        for worker in workers where worker.spareCount(for: source.purpose) > 0 {
            if await worker.makeRoom(for: source.purpose) { return .adopted }
        }
        return refusal(of: source)
    }

    private func verdict(on source: ConnectionSource) -> ClientConnections.Verdict {
        let verdict = clients.verdict(on: source)
        return verdict == .mayConnect && !hasRoom(for: source.purpose) ? .mustReplace : verdict
    }

    /// Why a connection is refused if no idle one can give way to it.
    private func refusal(of source: ConnectionSource) -> Placing {
        hasRoom(for: source.purpose) ? .clientIsFull(source.clientText) : .full
    }

    /// Ends an idle TLS connection, because there is no memory for another one.
    /// - Returns: whether there was one.
    func endIdleSession() async -> Bool {
        for worker in workers where worker.spareCount(for: .service) > 0 {
            if await worker.endIdleSession() { return true }
        }
        return false
    }

    /// How many idle connections give way at once if the process has no descriptor left.
    private static let mostEnded = 16

    /// Ends idle connections, because the process has no descriptor left.
    /// - Returns: how many were ended.
    func endIdle() async -> Int {
        var count = 0
        for worker in workers where count < Self.mostEnded {
            count += await worker.endIdle(atMost: Self.mostEnded - count)
        }
        return count
    }

    /// Ends every TLS connection, after its current request.
    func retireHTTPS() async {
        for worker in workers { await worker.retireHTTPS() }
    }

    /// The worker with the fewest connections; round-robin among equals.
    private func leastLoaded() -> HTTPWorker {
        let start = next.load(ordering: .relaxed)
        var best = start
        for offset in 1..<workers.count + 1 {
            let candidate = (start + offset) % workers.count
            if workers[candidate].load.load(ordering: .relaxed) < workers[best].load.load(ordering: .relaxed) {
                best = candidate
            }
        }
        next.store((best + 1) % workers.count, ordering: .relaxed)
        return workers[best]
    }
}
