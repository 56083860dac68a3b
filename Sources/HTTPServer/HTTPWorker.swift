internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The HTTP server of one worker. It runs the library in the reactor's turns, and responders as tasks on the same thread.
actor HTTPWorker {
    nonisolated let reactor: Reactor
    nonisolated let index: Int
    nonisolated let handler: any RequestHandler
    nonisolated let limits: HTTPLimits
    private nonisolated let clients: ClientConnections
    nonisolated let log: @Sendable (String) -> Void

    /// Connections that are open or in the inbox. `Placement` chooses the worker with the fewest.
    nonisolated let load = Atomic<Int>(0)
    /// Those of health listeners among them.
    nonisolated let healthLoad = Atomic<Int>(0)
    /// Connections without a request that has begun, by the purpose of their listeners. Only this worker's thread writes it.
    private nonisolated let idle = Atomic<Int>(0)
    private nonisolated let healthIdle = Atomic<Int>(0)
    private nonisolated let waiting = Atomic<Int>(0)
    /// Requests whose handler or stream has started, and whose response has not been sent in full.
    nonisolated let inFlight = Atomic<Int>(0)
    private nonisolated let inbox = Mutex<[AcceptedConnection]>([])
    private nonisolated let hasMail = Atomic<Bool>(false)

    /// nil before the start. Every method of this actor must use it, because that use moves the method to the worker's
    /// thread. In an optimized build, a method that touches no isolated state stays on its caller's thread.
    private(set) var daemon: HTTPDaemon?
    private nonisolated let boundDaemon: ThreadBound<HTTPDaemon?>

    /// The same for the reactor's callbacks, which run on the worker's thread outside of the actor. It traps on any
    /// other thread. Checking the thread is much cheaper than `assumeIsolated`.
    nonisolated var daemonOnThread: HTTPDaemon? { boundDaemon.with { $0 } }

    nonisolated var thread: ReactorThread { reactor.thread }
    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    init(
        index: Int, reactor: Reactor, limits: HTTPLimits, clients: ClientConnections, handler: any RequestHandler,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.clients = clients
        self.index = index
        self.reactor = reactor
        self.limits = limits
        self.handler = handler
        self.log = log
        boundDaemon = ThreadBound(nil, thread: reactor.thread)
    }

    /// Starts the library, and adds it to the reactor's turns.
    /// - Throws: EMFILE, ENFILE, ENOMEM; ENOSPC if the kernel allows no more watches.
    func start() throws(Errno) {
        let daemon = HTTPDaemon(worker: self)
        self.daemon = daemon
        boundDaemon.with { $0 = daemon }
        try daemon.start()
        let worker = self
        reactor.assumeIsolated { $0.add(worker) }
    }

    // MARK: Requests

    /// Runs the responder, and sends its response.
    func serve(_ request: Request, by responder: any RequestResponder, place: Int, number: UInt64) async {
        let response = await responder.respond(to: request, on: index)
        daemon?.finish(place, number, response)
    }

    /// Runs the producer of a stream, and ends the response.
    func produce(_ body: StreamProducer, place: Int, number: UInt64) async {
        do {
            try await body(ResponseWriter(worker: self, place: place, number: number))
            daemon?.stream(place, number)?.producerReturned(nil)
        } catch {
            daemon?.stream(place, number)?.producerReturned(error)
        }
    }

    /// Sends bytes of a streamed body, as `ResponseWriter.write` describes.
    func write(_ bytes: [UInt8], place: Int, number: UInt64) async throws(ResponseStreamError) {
        guard let stream = daemon?.stream(place, number) else { throw .ended }
        if let refusal = stream.refusal { throw refusal }
        if Task.isCancelled { throw .cancelled }
        let rest = stream.write(bytes[...])
        if let refusal = stream.refusal { throw refusal }
        if rest.isEmpty { return }
        let id = stream.nextWrite()
        let failure = await withTaskCancellationHandler {
            await withCheckedContinuation {
                stream.wait(with: rest, id: id, isBegun: rest.count < bytes.count, $0)
            }
        } onCancel: {
            Task(executorPreference: thread) { await self.cancelWrite(id, place: place, number: number) }
        }
        if let failure { throw failure }
    }

    private func cancelWrite(_ id: UInt64, place: Int, number: UInt64) {
        daemon?.stream(place, number)?.cancelWrite(id)
    }

    // MARK: New connections

    /// Takes ownership of a connection; on any thread.
    nonisolated func adopt(_ connection: AcceptedConnection) {
        load.add(1, ordering: .relaxed)
        limits.openConnections.add(1)
        clients.add(connection.source.owner)
        if connection.needsRoom { waiting.add(1, ordering: .relaxed) }
        if connection.source.purpose == .health { healthLoad.add(1, ordering: .relaxed) }
        inbox.withLock { $0.append(connection) }
        hasMail.store(true, ordering: .releasing)
        if !thread.isCurrent { thread.wake() }
    }

    /// Notes that an adopted connection has been closed.
    nonisolated func release(_ source: ConnectionSource) {
        load.subtract(1, ordering: .relaxed)
        limits.openConnections.add(-1)
        clients.remove(source.owner)
        if source.purpose == .health { healthLoad.subtract(1, ordering: .relaxed) }
    }

    private nonisolated func takeMail(_ daemon: HTTPDaemon) {
        hasMail.store(false, ordering: .relaxed)
        let mail = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        for connection in mail {
            if connection.needsRoom { waiting.subtract(1, ordering: .relaxed) }
            daemon.add(connection)
        }
    }

    /// How many connections can still give way to new clients; on any thread.
    nonisolated func spareCount(for purpose: Listener.Purpose) -> Int {
        let count =
            switch purpose {
            case .service: idle.load(ordering: .relaxed)
            case .health: healthIdle.load(ordering: .relaxed)
            }
        return count - waitingCount
    }

    /// Connections in the inbox for which an idle one has to give way; on any thread.
    nonisolated var waitingCount: Int { waiting.load(ordering: .relaxed) }

    nonisolated func countIdle(_ change: Int, _ purpose: Listener.Purpose) {
        switch purpose {
        // Without an atomic addition, which costs more: there is one writer.
        case .service: idle.store(idle.load(ordering: .relaxed) + change, ordering: .relaxed)
        case .health: healthIdle.store(healthIdle.load(ordering: .relaxed) + change, ordering: .relaxed)
        }
    }

    /// Whether there is room for another lingering close.
    var canLinger: Bool { daemon.map { $0.lingering.count < limits.lingering } ?? false }

    /// Takes ownership of a descriptor whose response has been sent, and lingers on it.
    func linger(on number: Int32) {
        guard let daemon else { return _ = close(number) }
        daemon.linger(on: number)
    }

    /// Ends the connection that has waited for a request for longest.
    /// - Returns: whether there was one.
    func makeRoom(for purpose: Listener.Purpose) -> Bool {
        daemon?.makeRoom(for: purpose) ?? false
    }

    /// Ends the TLS connection that has waited for a request for longest, to free its memory.
    /// - Returns: whether there was one.
    func endIdleSession() -> Bool {
        daemon?.endIdleSession() ?? false
    }

    /// Ends connections that have waited for a request for longest.
    /// - Returns: how many were ended.
    func endIdle(atMost count: Int) -> Int {
        daemon?.endIdle(atMost: count) ?? 0
    }

    /// Ends every TLS connection after its current request, also those in the inbox.
    func retireHTTPS() {
        guard let daemon else { return }
        takeMail(daemon)
        daemon.retireHTTPS()
    }

    // MARK: Shutdown

    /// Makes every response close its connection from now on.
    func startDraining() {
        daemon?.state.advance(to: .draining)
    }

    /// Makes requests that begin from now on late: `drain` does not wait for them.
    func startEnding() {
        daemon?.state.advance(to: .ending)
    }

    /// Waits until every request that is not late has been answered in full, including the relay if it uses TLS. On
    /// plain connections, the kernel sends the rest even after this process has ended.
    /// - Returns: false if the deadline passed first.
    func drain(until deadline: MonotonicTime) async -> Bool {
        await wait(until: deadline) { $0.isDrained && !$0.relaysAreSending }
    }

    /// Waits until no request is in flight.
    /// - Returns: false if the deadline passed first.
    private func awaitHandlers(until deadline: MonotonicTime) async -> Bool {
        while inFlight.load(ordering: .relaxed) > 0 {
            guard Clock.now() < deadline else { return false }
            _ = await reactor.sleep(until: min(deadline, Clock.now().advanced(byMilliseconds: 2)))
        }
        return true
    }

    /// Waits until every request has been answered in full, and new clients have had time to begin one.
    /// - Returns: false if the deadline passed first.
    func awaitIdle(until deadline: MonotonicTime) async -> Bool {
        await wait(until: deadline) { $0.isIdle && !$0.relaysAreSending }
    }

    /// Waits for TCP handshakes that have begun.
    func awaitHandshakes() async {
        _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: HTTPLimits.handshakeMilliseconds))
    }

    /// Waits until new clients have had time to begin a request.
    func awaitFirstRequests(until deadline: MonotonicTime) async {
        _ = await wait(until: deadline) { !$0.awaitsFirstRequest }
    }

    private func wait(until deadline: MonotonicTime, for condition: (HTTPDaemon) -> Bool) async -> Bool {
        repeat {
            // At least one turn, so that the library reads what the kernel already has.
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 2))
            if !hasMail.load(ordering: .relaxed), daemon.map(condition) ?? true { return true }
        } while Clock.now() < deadline
        return false
    }

    /// Cancels the handlers and streams in flight, sends the handlers' responses, and stops the library.
    ///
    /// A handler that ignores its cancellation is replaced by a 503, and a stream is aborted: the library must not be stopped
    /// with a suspended connection.
    func shutDown() async {
        daemon?.cancelHandlers()
        if await !awaitHandlers(until: Clock.now().advanced(byMilliseconds: limits.cancellationMilliseconds)) {
            daemon?.answerForHandlers()
            _ = await awaitHandlers(until: Clock.now().advanced(byMilliseconds: 1000))
        }
        if let daemon, daemon.refuseUnfinished() {
            _ = await awaitIdle(until: Clock.now().advanced(byMilliseconds: HTTPLimits.firstRequestMilliseconds))
        }
        daemon?.stop()
        _ = await wait(until: Clock.now().advanced(byMilliseconds: 1000)) { $0.relaysAreFlushed }
        daemon?.endRelays()
        if let daemon { takeMail(daemon) }
    }
}

extension HTTPWorker: TurnParticipant {
    nonisolated func takeTurn() -> UInt64 {
        guard let daemon = daemonOnThread else { return .max }
        if hasMail.load(ordering: .relaxed) { takeMail(daemon) }
        return daemon.turn()
    }
}
