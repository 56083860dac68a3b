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

    /// The library's struct MHD_Daemon; nil before `start` and after `stop`.
    private(set) var library: OpaquePointer?
    private var libraryWatch: SlotToken?
    private var epollNumber: Int32 = -1
    /// A second one, for connections whose heads need more memory.
    private(set) var largeLibrary: OpaquePointer?
    private var largeLibraryWatch: SlotToken?
    private var largeEpollNumber: Int32 = -1
    /// A socket without a peer. It replaces a socket that is taken back from the library.
    private(set) var endedSocket: Int32 = -1
    /// Whether the library must run in the next turn of the event loop.
    var mustRun = false
    /// The same for the one with the large memory, which few connections have: a run of it is a system call.
    var mustRunLarge = false
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
        // SAFETY: the worker keeps this object, and `stop` ends the library before that.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let library = try startLibrary(context, limits.connectionMemoryBytes)
        self.library = library
        epollNumber = connectd_mhd_epoll_descriptor(library)
        libraryWatch = try watchLibrary(epollNumber) { $0.mustRun = true }
        let largeLibrary = try startLibrary(context, HTTPLimits.largeMemoryBytes)
        self.largeLibrary = largeLibrary
        largeEpollNumber = connectd_mhd_epoll_descriptor(largeLibrary)
        largeLibraryWatch = try watchLibrary(largeEpollNumber) { $0.mustRunLarge = true }
        try makeEndedSocket()
        let worker = worker
        (sweepTimer, bodyTimer) = reactor.assumeIsolated { reactor in
            (
                reactor.makeTimer { worker.daemonOnThread?.sweep() },
                reactor.makeTimer { worker.daemonOnThread?.endBodyWaits() }
            )
        }
    }

    private func watchLibrary(
        _ number: Int32, onReady note: @escaping @Sendable (HTTPDaemon) -> Void
    ) throws(Errno) -> SlotToken {
        let worker = worker
        return try watch(number, for: .readable) { _ in
            if let daemon = worker.daemonOnThread { note(daemon) }
        }
    }

    /// Lets the library that has the connection run in the next turn.
    func runSoon(for connection: Connection) {
        if connection.isLarge { mustRunLarge = true } else { mustRun = true }
    }

    private func makeEndedSocket() throws(Errno) {
        var pair: [Int32] = [-1, -1]
        let type = connectd_sock_stream | connectd_sock_cloexec | connectd_sock_nonblock
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw .current }
        CLinux.close(pair[1])
        endedSocket = pair[0]
    }

    private func startLibrary(_ context: UnsafeMutableRawPointer, _ memory: Int) throws(Errno) -> OpaquePointer {
        let limit = UInt32(limits.connections + HTTPLimits.healthConnections + 1)
        guard
            let library = connectd_mhd_start(
                context, onAccess, onCompleted, onConnection, onTarget, limit, memory)
        else { throw Errno.current.rawValue == 0 ? Errno(ENOMEM) : .current }
        return library
    }

    /// Stops the library, after resuming every suspended connection.
    func stop() {
        guard let library else { return }
        if let libraryWatch { unwatch(libraryWatch, epollNumber) }
        if let sweepTimer { reactor.assumeIsolated { $0.remove(sweepTimer) } }
        sweepTimer = nil
        if let bodyTimer { reactor.assumeIsolated { $0.remove(bodyTimer) } }
        bodyTimer = nil
        // The library must not be stopped with a suspended connection.
        for case let connection? in connections where connection.gate == .waiting { endWaiting(connection) }
        for case let connection? in connections { breakOffStream(of: connection, because: .serviceStopped) }
        MHD_run(library)
        self.library = nil
        if let largeLibraryWatch { unwatch(largeLibraryWatch, largeEpollNumber) }
        if let largeLibrary {
            MHD_run(largeLibrary)
            MHD_stop_daemon(largeLibrary)
        }
        largeLibrary = nil
        MHD_stop_daemon(library)
        forgetArriving()
        if endedSocket >= 0 { CLinux.close(endedSocket) }
        endedSocket = -1
        for number in Array(lingering.keys) { endLingering(number) }
    }

    /// Runs each library if there is a reason to.
    /// - Returns: as `TurnParticipant` specifies.
    func turn() -> UInt64 {
        guard mustRun || mustRunLarge else { return .max }
        if mustRun, let library {
            mustRun = false
            if !run(library) { mustRun = true }
        }
        if mustRunLarge, let largeLibrary {
            mustRunLarge = false
            if !run(largeLibrary) { mustRunLarge = true }
        }
        forgetArriving()
        dismissDeparted()
        return library != nil && (mustRun || mustRunLarge) ? 0 : .max
    }

    /// Runs the library until it waits for its sockets, but only a few times, so that other connections get their turn.
    ///
    /// The response of a suspended connection takes three runs: prepare, send and conclude. A turn of the reactor
    /// between them would cost a system call. The next request could also arrive while the gate is still open.
    /// - Returns: whether the library waits for its sockets.
    private func run(_ library: OpaquePointer) -> Bool {
        for _ in 0..<4 {
            MHD_run(library)
            closeGates()
            var wait: UInt64 = 0
            guard MHD_get_timeout(library, &wait) == .YES, wait == 0 else { return true }
        }
        return false
    }

    // MARK: Connections

    /// Takes ownership of a connection. Its first request waits in the kernel.
    func add(_ accepted: AcceptedConnection) {
        guard library != nil else {
            CLinux.close(accepted.descriptor)
            worker.release(accepted.source)
            return
        }
        let source = accepted.source
        guard let accepted = accepted.session.map({ relay(accepted, by: $0) }) ?? accepted else {
            worker.release(source)
            return
        }
        let place = freePlaces.popLast() ?? connections.count
        if place == connections.count { connections.append(nil) }
        let connection = Connection(
            index: place, accepted, deadline: deadline(limits.headTimeoutMilliseconds))
        connections[place] = connection
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

    /// Gives a connection to a library, which closes its descriptor in any case.
    func give(_ connection: Connection, to library: OpaquePointer) {
        arriving[connection.descriptor] = connection.index
        // The library does not need the client's address: `ConnectionSource` has it.
        var name = sockaddr(sa_family: sa_family_t(AF_UNIX), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        let result = MHD_add_connection(
            library, connection.descriptor, &name, socklen_t(MemoryLayout<sa_family_t>.size))
        if result != .YES { forgetArriving(connection.descriptor) }
        runSoon(for: connection)
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
        (connection.mustLinger || !connection.hasServed) && !connection.peerHasLeft && library != nil
    }

    private func vacate(_ connection: Connection) {
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
