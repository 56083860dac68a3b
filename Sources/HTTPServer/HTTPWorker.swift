internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The HTTP side of one worker: lets the library run in the reactor's turns, and the handler in tasks on the same thread.
actor HTTPWorker {
    nonisolated let reactor: Reactor
    nonisolated let index: Int
    nonisolated let handler: any RequestHandler
    nonisolated let limits: HTTPLimits
    nonisolated let log: @Sendable (String) -> Void

    /// Connections that are open or on their way to here; the acceptor looks for the worker with the fewest.
    nonisolated let load = Atomic<Int>(0)
    /// Those of them that came by a health listener.
    nonisolated let healthLoad = Atomic<Int>(0)
    /// Requests whose handler has been started and whose answer is not sent in full.
    nonisolated let inFlight = Atomic<Int>(0)
    private nonisolated let inbox = Mutex<[AcceptedConnection]>([])
    private nonisolated let hasMail = Atomic<Bool>(false)

    /// nil before the start. Methods of this actor have to use it: it is what brings them to the worker's thread. A method that
    /// touches nothing isolated stays on its caller's thread in an optimized build.
    private(set) var daemon: HTTPDaemon?
    private nonisolated let boundDaemon: ThreadBound<HTTPDaemon?>

    /// The same for the reactor's callbacks, which run on the worker's thread outside of the actor: the thread is asked, and
    /// not the runtime, whose check costs more than most of what they do. Traps on any other thread.
    nonisolated var daemonOnThread: HTTPDaemon? { boundDaemon.with { $0 } }

    nonisolated var thread: ReactorThread { reactor.thread }
    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    init(
        index: Int, reactor: Reactor, limits: HTTPLimits, handler: any RequestHandler,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.index = index
        self.reactor = reactor
        self.limits = limits
        self.handler = handler
        self.log = log
        boundDaemon = ThreadBound(nil, thread: reactor.thread)
    }

    /// Starts the library, and takes part in the reactor's turns from here on.
    /// - Throws: EMFILE, ENFILE, ENOMEM; ENOSPC where the kernel allows no more watches.
    func start() throws(Errno) {
        let daemon = HTTPDaemon(worker: self)
        self.daemon = daemon
        boundDaemon.with { $0 = daemon }
        try daemon.start()
        let worker = self
        reactor.assumeIsolated { $0.add(worker) }
    }

    // MARK: Requests

    /// Lets the responder work on a request, and gives its answer to whoever waits for it.
    func serve(_ request: Request, by responder: any RequestResponder, place: Int, number: UInt64) async {
        let response = await responder.respond(to: request, on: index)
        daemon?.finish(place, number, response)
    }

    // MARK: New connections

    /// Takes over a connection, from any thread.
    nonisolated func adopt(_ connection: AcceptedConnection) {
        load.add(1, ordering: .relaxed)
        if connection.source.purpose == .health { healthLoad.add(1, ordering: .relaxed) }
        inbox.withLock { $0.append(connection) }
        hasMail.store(true, ordering: .releasing)
        if !thread.isCurrent { thread.wake() }
    }

    /// A connection that was adopted is closed.
    nonisolated func release(_ source: ConnectionSource) {
        load.subtract(1, ordering: .relaxed)
        if source.purpose == .health { healthLoad.subtract(1, ordering: .relaxed) }
    }

    private nonisolated func takeMail(_ daemon: HTTPDaemon) {
        hasMail.store(false, ordering: .relaxed)
        let mail = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        for connection in mail { daemon.add(connection) }
    }

    /// Whether a client that gets an early answer can be read for a while, so that the answer reaches it.
    var canLinger: Bool { daemon.map { $0.lingering.count < limits.lingering } ?? false }

    /// Takes over a descriptor whose client has had its answer.
    func linger(on number: Int32) {
        guard let daemon else { return _ = close(number) }
        daemon.linger(on: number)
    }

    /// Ends every connection over TLS, behind the request that is on it; those that are on their way here, too.
    func retireHTTPS() {
        guard let daemon else { return }
        takeMail(daemon)
        daemon.retireHTTPS()
    }

    // MARK: The end

    /// From here on every answer closes its connection.
    func startDraining() {
        daemon?.isDraining = true
    }

    /// From here on, requests that begin are late: `drain` does not wait for them.
    func startEnding() {
        daemon?.isEnding = true
    }

    /// Waits until every request that is not late is answered in full. Over TLS that takes longer than the library knows: what
    /// a plain client has not taken yet is sent by the kernel, even when this process has ended.
    /// - Returns: false where the deadline came first.
    func drain(until deadline: MonotonicTime) async -> Bool {
        await wait(until: deadline) { $0.isDrained && !$0.relaysAreSending }
    }

    /// Waits until every handler has answered, in full.
    /// - Returns: false where the deadline came first.
    private func awaitHandlers(until deadline: MonotonicTime) async -> Bool {
        while inFlight.load(ordering: .relaxed) > 0 {
            guard Clock.now() < deadline else { return false }
            _ = await reactor.sleep(until: min(deadline, Clock.now().advanced(byMilliseconds: 2)))
        }
        return true
    }

    /// Waits until every request that has begun is answered in full, and every new client has had the time to begin one.
    /// - Returns: false where the deadline came first.
    func settle(until deadline: MonotonicTime) async -> Bool {
        await wait(until: deadline) { $0.isSettled && !$0.relaysAreSending }
    }

    /// Gives handshakes that have begun the time to end.
    func awaitHandshakes() async {
        _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: HTTPLimits.handshakeMilliseconds))
    }

    /// Waits until every new client has had the time to begin a request.
    func awaitFirstRequests(until deadline: MonotonicTime) async {
        _ = await wait(until: deadline) { !$0.awaitsFirstRequest }
    }

    private func wait(until deadline: MonotonicTime, for condition: (HTTPDaemon) -> Bool) async -> Bool {
        repeat {
            // At least one turn: what the kernel has of a request is read by then.
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 2))
            if !hasMail.load(ordering: .relaxed), daemon.map(condition) ?? true { return true }
        } while Clock.now() < deadline
        return false
    }

    /// Cancels what is in flight, sends the answers that come of it, and ends the library. It drains already.
    ///
    /// A handler that does not heed its cancellation is answered for: the library must not be stopped with a suspended
    /// connection.
    func shutDown() async {
        daemon?.cancelHandlers()
        if await !awaitHandlers(until: Clock.now().advanced(byMilliseconds: limits.cancellationMilliseconds)) {
            daemon?.answerForHandlers()
            _ = await awaitHandlers(until: Clock.now().advanced(byMilliseconds: 1000))
        }
        if let daemon, daemon.refuseUnfinished() {
            _ = await settle(until: Clock.now().advanced(byMilliseconds: HTTPLimits.firstRequestMilliseconds))
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
