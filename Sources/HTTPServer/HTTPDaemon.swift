internal import CLinux
internal import CMicrohttpd
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Runs libmicrohttpd (a "daemon" in its terms) for one worker, and owns the worker's connections.
///
/// It is a plain class that only its worker's thread uses. The library calls back several times for each request, and
/// each hop through an actor would cost time.
final class HTTPDaemon {
    /// The actor that owns this object; it outlives the library.
    unowned let worker: HTTPWorker
    let handler: any RequestHandler
    let limits: HTTPLimits
    let log: @Sendable (String) -> Void
    private let reactor: Reactor

    /// The first one is for connections whose heads need more memory. The others share the usual connections.
    private var libraries: [LibraryInstance] = []
    /// Whether it has been started, and not been stopped.
    private(set) var isRunning = false
    /// A socket without a peer. It replaces a socket that we take back from the library.
    private(set) var endedSocket: Int32 = -1
    /// Whether an instance of the library must run in the next turn.
    private var mustRun = false
    /// How far the shutdown has come.
    var state = DaemonState.serving

    private(set) var connections: [Connection?] = []
    private var freePlaces: [Int] = []
    /// The indexes of connections that were given to the library and are not yet reported as started, by descriptor. Version
    /// 0.9 reports a connection while it is added, 1.0 when it runs next.
    private var arriving: [Int32: Int] = [:]
    /// The indexes of connections whose request has ended, to be handled after the library has run.
    var ended: [Int] = []
    /// The indexes of connections whose client has left, to be handled after the library has run.
    var departed: [Int] = []
    var lingering: [Int32: LingeringClose] = [:]
    /// Idle connections that give way next, the first one last.
    var idlest: [IdleCandidate] = []
    /// Before this time, in nanoseconds of CLOCK_MONOTONIC, a search for `idlest` would find nothing.
    var nextIdleSearch: UInt64 = 0
    /// By our descriptor of the pair between relay and library.
    var relays: [Int32: TLSRelay] = [:]
    var scratch = [UInt8](repeating: 0, count: 65536)

    /// Ends the waits for short bodies.
    private var bodyTimer: SlotToken?
    /// When it fires, in nanoseconds of CLOCK_MONOTONIC; `UInt64.max` if it is not armed.
    var bodyTimerDue = UInt64.max
    private var sweepTimer: SlotToken?
    private var isSweeping = false

    init(worker: HTTPWorker) {
        self.worker = worker
        handler = worker.handler
        limits = worker.limits
        log = worker.log
        reactor = worker.reactor
    }

    // MARK: Start and stop

    /// Starts the library.
    /// - Throws: EMFILE, ENFILE, ENOMEM; ENOSPC if the kernel allows no more watches.
    func start() throws(Errno) {
        isRunning = true
        try startLibrary(isLarge: true)
        try startLibrary(isLarge: false)
        try makeEndedSocket()
        let worker = worker
        (sweepTimer, bodyTimer) = reactor.assumeIsolated { reactor in
            (
                reactor.makeTimer { worker.daemonOnThread?.sweep() },
                reactor.makeTimer { worker.daemonOnThread?.endBodyWaits() }
            )
        }
    }

    private func startLibrary(isLarge: Bool) throws(Errno) {
        // SAFETY: the worker keeps this object, and `stop` ends the library before that.
        let context = Unmanaged.passUnretained(self).toOpaque()
        var library = try LibraryInstance(context: context, limits: limits, isLarge: isLarge)
        let (worker, index) = (worker, libraries.count)
        do throws(Errno) {
            library.watch = try watch(library.epollNumber, for: .readable) { _ in
                worker.daemonOnThread?.runSoon(index)
            }
        } catch {
            MHD_stop_daemon(library.handle)
            throw error
        }
        libraries.append(library)
    }

    /// Lets an instance of the library run in the next turn.
    private func runSoon(_ library: Int) {
        libraries[library].mustRun = true
        mustRun = true
    }

    /// Lets the instance that has the connection run in the next turn.
    func runSoon(for connection: Connection) {
        if let library = connection.library { runSoon(library) }
    }

    /// Lets all instances run in the next turn.
    func runAllSoon() {
        for index in libraries.indices { runSoon(index) }
    }

    private func makeEndedSocket() throws(Errno) {
        var pair: [Int32] = [-1, -1]
        let type = connectd_sock_stream | connectd_sock_cloexec | connectd_sock_nonblock
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw .current }
        CLinux.close(pair[1])
        endedSocket = pair[0]
    }

    /// Stops the library, after resuming every suspended connection.
    func stop() {
        guard isRunning else { return }
        for library in libraries {
            if let watch = library.watch { unwatch(watch, library.epollNumber) }
        }
        if let sweepTimer { reactor.assumeIsolated { $0.remove(sweepTimer) } }
        sweepTimer = nil
        if let bodyTimer { reactor.assumeIsolated { $0.remove(bodyTimer) } }
        bodyTimer = nil
        // The library must not be stopped with a suspended connection.
        for case let connection? in connections where connection.gate == .waiting { endWaiting(connection) }
        for case let connection? in connections { breakOffStream(of: connection, because: .serviceStopped) }
        for library in libraries { MHD_run(library.handle) }
        isRunning = false
        for library in libraries { MHD_stop_daemon(library.handle) }
        forgetArriving()
        if endedSocket >= 0 { CLinux.close(endedSocket) }
        endedSocket = -1
        for number in Array(lingering.keys) { endLingering(number) }
    }

    /// Runs each instance of the library that has a reason to.
    /// - Returns: as `TurnParticipant` specifies.
    func turn() -> UInt64 {
        guard mustRun, isRunning else { return .max }
        mustRun = false
        for index in libraries.indices where libraries[index].mustRun {
            libraries[index].mustRun = false
            if !LibraryInstance.run(libraries[index].handle, conclude: { closeGates() }) { runSoon(index) }
        }
        forgetArriving()
        dismissDeparted()
        return mustRun ? 0 : .max
    }

    // MARK: Connections

    /// Takes ownership of a connection. Its first request waits in the kernel.
    func add(_ accepted: AcceptedConnection) {
        guard isRunning else {
            CLinux.close(accepted.descriptor)
            worker.release(accepted.source)
            return
        }
        let source = accepted.source
        if accepted.needsRoom, !makeRoom(for: source.purpose) {
            PlainAnswer.send(handler.tooManyConnections, to: accepted.descriptor, withoutBody: false)
            linger(on: accepted.descriptor)
            worker.release(source)
            return
        }
        guard let accepted = accepted.session.map({ relay(accepted, by: $0) }) ?? accepted else {
            worker.release(source)
            return
        }
        let place = freePlaces.popLast() ?? connections.count
        if place == connections.count { connections.append(nil) }
        let connection = Connection(
            index: place, accepted, deadline: deadline(limits.headTimeoutMilliseconds))
        connections[place] = connection
        noteIdle(connection)
        startSweeping()
        if !watchClient(of: connection) { closeWaiting(connection) }
    }

    /// - Returns: false if the kernel allows no more watches.
    func watchClient(of connection: Connection) -> Bool {
        let (worker, place) = (worker, connection.index)
        connection.watch = try? watch(connection.descriptor, for: [.readable, .peerClosed], edgeTriggered: true) {
            event in
            worker.daemonOnThread?.noteClient(at: place, event)
        }
        return connection.watch != nil
    }

    /// Gives a connection to an instance of the library, which closes its descriptor in any case.
    func give(_ connection: Connection, isLarge: Bool) {
        let library = isLarge ? 0 : usualLibrary()
        connection.library = library
        libraries[library].connectionCount += 1
        arriving[connection.descriptor] = connection.index
        // The library does not need the client's address: `ConnectionSource` has it.
        var name = sockaddr(sa_family: sa_family_t(AF_UNIX), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        let result = MHD_add_connection(
            libraries[library].handle, connection.descriptor, &name, socklen_t(MemoryLayout<sa_family_t>.size))
        if result != .YES { forgetArriving(connection.descriptor) }
        runSoon(library)
    }

    /// The first instance that has room for another usual connection. If no further instance can be started, that with the
    /// fewest connections has to take it.
    private func usualLibrary() -> Int {
        let usual = libraries.indices.dropFirst()
        for index in usual where libraries[index].connectionCount < limits.libraryConnections { return index }
        do throws(Errno) {
            try startLibrary(isLarge: false)
            return libraries.count - 1
        } catch {
            return usual.min { libraries[$0].connectionCount < libraries[$1].connectionCount } ?? 0
        }
    }

    /// Notes that an instance of the library no longer has the connection.
    func leaveLibrary(_ connection: Connection) {
        guard let library = connection.library else { return }
        libraries[library].connectionCount -= 1
        connection.library = nil
    }

    /// Forgets connections that the library has closed without reporting them.
    private func forgetArriving() {
        guard !arriving.isEmpty else { return }
        for number in Array(arriving.keys) { forgetArriving(number) }
    }

    private func forgetArriving(_ number: Int32) {
        guard let place = arriving.removeValue(forKey: number), let connection = connections[place] else { return }
        // The descriptor is closed, so its number may already be reused.
        if let watch = connection.watch { reactor.assumeIsolated { $0.remove(watch) } }
        vacate(connection)
    }

    /// Called when the library has started a connection.
    /// - Returns: its index in the table.
    func open(_ handle: OpaquePointer) -> Int? {
        guard let place = arriving.removeValue(forKey: connectd_mhd_socket(handle)), let connection = connections[place]
        else { return nil }
        connection.handle = handle
        return place
    }

    /// Called when the library is about to close the connection's descriptor.
    func close(_ connection: Connection) {
        if let watch = connection.watch { unwatch(watch, connection.descriptor) }
        if mustLinger(connection) {
            let copy = connectd_duplicate(connection.descriptor)
            if copy >= 0 { linger(on: copy) }
        }
        vacate(connection)
    }

    /// Closes a connection that the library does not have.
    func closeWaiting(_ connection: Connection) {
        if let watch = connection.watch { unwatch(watch, connection.descriptor) }
        if mustLinger(connection) { linger(on: connection.descriptor) } else { CLinux.close(connection.descriptor) }
        vacate(connection)
    }

    private func mustLinger(_ connection: Connection) -> Bool {
        (connection.mustLinger || !connection.hasServed) && !connection.peerHasLeft && isRunning
    }

    private func vacate(_ connection: Connection) {
        noteBusy(connection)
        leaveLibrary(connection)
        connection.headCharge = nil
        connections[connection.index] = nil
        freePlaces.append(connection.index)
        worker.release(connection.source)
    }

    /// Handles an event of a client's socket.
    private func noteClient(at place: Int, _ event: Readiness) {
        guard let connection = connections[place] else { return }
        if !event.isDisjoint(with: [.error, .hangUp]) { return peerLeft(connection) }
        if event.contains(.peerClosed) { notePeerFinished(connection) }
        if event.contains(.writable), case .streaming(let stream) = connection.phase { stream.socketIsWritable() }
        guard event.contains(.readable), connections[place] === connection else { return }
        switch connection.gate {
        case .waiting: look(at: connection)
        // More than the request that was there: the library may have read some of it.
        case .open: connection.gate = .free
        case .free: break
        }
    }

    /// Handles a FIN. The client may have ended only its request, or may have closed the connection. The difference
    /// shows only when something is sent. For a client on this machine, the kernel knows.
    private func notePeerFinished(_ connection: Connection) {
        connection.client.advance(to: .finished)
        if connection.endsWithInput || connectd_peer_has_closed(connection.descriptor) == 1 {
            return peerLeft(connection)
        }
        if connection.gate != .waiting {
            departed.append(connection.index)
            runSoon(for: connection)
        }
    }

    func peerLeft(_ connection: Connection) {
        connection.client.advance(to: .left)
        connection.task?.cancel()
        breakOffStream(of: connection, because: .clientLeft)
        if connection.gate == .waiting { return endWaiting(connection) }
        departed.append(connection.index)
        runSoon(for: connection)
    }

    /// Ends connections whose clients have left, after the library has read what they sent before.
    ///
    /// The library misses an EOF that comes in the same edge as the last bytes: after a short read it waits for the next
    /// edge. shutdown(2) makes one.
    private func dismissDeparted() {
        guard !departed.isEmpty else { return }
        for place in departed {
            guard let connection = connections[place], connection.peerHasLeft || connection.peerHasFinished,
                connection.gate != .waiting
            else { continue }
            switch connection.phase {
            case .idle, .head, .body, .discarding:
                shutdown(connection.descriptor, Int32(connection.peerHasLeft ? SHUT_RDWR : SHUT_RD))
            case .suspended, .answering, .streaming: break  // Handled when the request has ended.
            }
        }
        departed.removeAll(keepingCapacity: true)
    }

    // MARK: Deadlines

    /// The current time plus this many milliseconds, in nanoseconds of CLOCK_MONOTONIC.
    func deadline(_ milliseconds: Int) -> UInt64 {
        Clock.now().advanced(byMilliseconds: milliseconds).nanoseconds
    }

    /// Starts the sweep. To visit all connections a few times per timeout is cheaper than a timer for each request.
    func startSweeping() {
        guard !isSweeping, let sweepTimer else { return }
        isSweeping = true
        let next = Clock.now().advanced(byMilliseconds: max(10, min(500, limits.shortestMilliseconds / 4)))
        reactor.assumeIsolated { $0.arm(sweepTimer, at: next) }
    }

    private func sweep() {
        isSweeping = false
        let now = Clock.now().nanoseconds
        for case let connection? in connections {
            if connection.isOver(at: now) {
                expire(connection)
            } else if connection.peerHasFinished {
                askAgain(connection)
            }
        }
        for relay in relays.values { relay.endIfClientHasClosed() }
        for (number, close) in lingering where close.deadline <= now { endLingering(number) }
        if freePlaces.count < connections.count || !lingering.isEmpty { startSweeping() }
    }

    /// Asks the kernel again: a client's FIN may come a moment before the kernel counts its socket as closed.
    private func askAgain(_ connection: Connection) {
        guard connection.remainingLooks > 0, !connection.peerHasLeft else { return }
        connection.remainingLooks -= 1
        if connectd_peer_has_closed(connection.descriptor) == 1 { peerLeft(connection) }
    }

    /// Arms the timer of all body waits, unless it is due earlier.
    /// - Parameter wait: nanoseconds of CLOCK_MONOTONIC.
    func armBodyTimer(at wait: UInt64) {
        guard let bodyTimer, wait < bodyTimerDue else { return }
        bodyTimerDue = wait
        reactor.assumeIsolated { $0.arm(bodyTimer, at: MonotonicTime(nanoseconds: wait)) }
    }

    // MARK: Watches

    func watch(
        _ number: Int32, for interest: Readiness, edgeTriggered: Bool = false,
        handler: @escaping @Sendable (Readiness) -> Void
    ) throws(Errno) -> SlotToken {
        let result: Result<SlotToken, Errno> = reactor.assumeIsolated { reactor in
            do throws(Errno) {
                return .success(
                    try reactor.watch(number, for: interest, edgeTriggered: edgeTriggered, handler: handler))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func unwatch(_ token: SlotToken, _ number: Int32) {
        reactor.assumeIsolated { $0.unwatch(token, number) }
    }
}
