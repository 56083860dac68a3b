internal import CLinux
internal import CMicrohttpd
internal import CheckModel
internal import SocketIO
internal import Synchronization

/// One instance of libmicrohttpd on one worker's thread: it has no thread of its own, and runs in the reactor's turns.
///
/// Every call of the library happens on that thread, and so do its call-backs, which enter this actor by
/// `assumeIsolated`.
actor HTTPWorker {
    nonisolated let reactor: Reactor
    nonisolated let index: Int
    nonisolated let handler: any RequestHandler
    nonisolated let limits: HTTPLimits
    nonisolated let log: @Sendable (String) -> Void

    /// Connections that are open or on their way to here; the acceptor looks for the worker with the fewest.
    nonisolated let load = Atomic<Int>(0)
    /// Requests whose handler has been started and whose answer is not sent in full.
    nonisolated let inFlight = Atomic<Int>(0)
    private nonisolated let inbox = Mutex<[AcceptedConnection]>([])
    private nonisolated let hasMail = Atomic<Bool>(false)

    /// The library's handle, a struct MHD_Daemon.
    private(set) var daemon: OpaquePointer?
    private var daemonWatch: SlotToken?
    private var epollNumber: Int32 = -1
    /// Something happened that the library has to look at.
    var mustRun = false
    var isDraining = false

    var connections: [Connection?] = []
    private var freeIndices: [Int] = []
    /// The source of the connection that the library is being given just now.
    private var arriving: AcceptedConnection?
    /// The places of connections whose client has left, to be looked at when the library has run.
    var departed: [Int] = []
    var lingering: [Int32: LingeringClose] = [:]
    var scratch = [UInt8](repeating: 0, count: 65536)

    private var sweepTimer: SlotToken?
    private var isSweeping = false

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
    }

    // MARK: Life

    /// Starts the library, and takes part in the reactor's turns from here on.
    /// - Throws: EMFILE, ENFILE, ENOMEM; ENOSPC where the kernel allows no more watches.
    func start() throws(Errno) {
        // SAFETY: the reactor keeps this actor for its own life, and `stop` ends the library before that.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let limit = UInt32(limits.connections + 1)
        guard
            let daemon = connectd_mhd_start(
                context, onAccess, onCompleted, onConnection, onTarget, onLog, limit, limits.connectionMemoryBytes)
        else { throw Errno.current.rawValue == 0 ? Errno(ENOMEM) : .current }
        self.daemon = daemon
        epollNumber = connectd_mhd_epoll_descriptor(daemon)
        let number = epollNumber
        let worker = self
        try watchDaemon(number)
        reactor.assumeIsolated { $0.add(worker) }
    }

    private func watchDaemon(_ number: Int32) throws(Errno) {
        let worker = self
        let result: Result<(SlotToken, SlotToken), Errno> = reactor.assumeIsolated { reactor in
            do throws(Errno) {
                let watch = try reactor.watch(number, for: .readable, edgeTriggered: false) { _ in
                    worker.assumeIsolated { $0.mustRun = true }
                }
                return .success((watch, reactor.makeTimer { worker.assumeIsolated { $0.sweep() } }))
            } catch {
                return .failure(error)
            }
        }
        let (watch, timer) = try result.get()
        daemonWatch = watch
        sweepTimer = timer
    }

    /// Ends the library. No connection may be suspended.
    func stop() {
        guard let daemon else { return }
        closeMail()
        if let daemonWatch, let sweepTimer {
            let number = epollNumber
            reactor.assumeIsolated { reactor in
                reactor.unwatch(daemonWatch, number)
                reactor.remove(sweepTimer)
            }
        }
        sweepTimer = nil
        self.daemon = nil
        MHD_stop_daemon(daemon)
        for number in Array(lingering.keys) { endLingering(number) }
    }

    // MARK: Turns

    private func turn() -> UInt64 {
        if hasMail.load(ordering: .relaxed) { takeMail() }
        guard mustRun, let daemon else { return .max }
        mustRun = false
        MHD_run(daemon)
        dismissDeparted()
        var wait: UInt64 = 0
        if MHD_get_timeout(daemon, &wait) == .YES, wait == 0 { mustRun = true }
        return mustRun ? 0 : .max
    }

    // MARK: New connections

    /// Takes over a connection, from any thread.
    nonisolated func adopt(_ connection: AcceptedConnection) {
        load.add(1, ordering: .relaxed)
        inbox.withLock { $0.append(connection) }
        hasMail.store(true, ordering: .releasing)
        if !thread.isCurrent { thread.wake() }
    }

    private func takeMail() {
        hasMail.store(false, ordering: .relaxed)
        let mail = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        for connection in mail { add(connection) }
    }

    private func add(_ accepted: AcceptedConnection) {
        guard let daemon else { return drop(accepted) }
        arriving = accepted
        let result = withUnsafePointer(to: accepted.name) {
            // SAFETY: every socket address begins as struct sockaddr does, and its length goes with it.
            MHD_add_connection(
                daemon, accepted.descriptor, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
                accepted.nameLength)
        }
        // The library closes the descriptor when it fails; if it has not told of the connection before, the load is ours.
        if result != .YES, arriving != nil { load.subtract(1, ordering: .relaxed) }
        arriving = nil
        mustRun = true
    }

    private func drop(_ accepted: AcceptedConnection) {
        CLinux.close(accepted.descriptor)
        load.subtract(1, ordering: .relaxed)
    }

    private func closeMail() {
        let mail = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        for connection in mail { drop(connection) }
    }

    /// The library has made a connection of what it was given.
    /// - Returns: the place in the table.
    func open(_ handle: OpaquePointer) -> Int? {
        guard let accepted = arriving else { return nil }
        arriving = nil
        let place = freeIndices.popLast() ?? connections.count
        if place == connections.count { connections.append(nil) }
        let connection = Connection(
            index: place, handle: handle, descriptor: accepted.descriptor, source: accepted.source,
            deadline: deadline(limits.headTimeoutMilliseconds))
        connection.watch = watchPeer(of: accepted.descriptor, at: place)
        connections[place] = connection
        startSweeping()
        return place
    }

    /// The library is about to close the connection's descriptor.
    func close(_ connection: Connection) {
        if let watch = connection.watch {
            let number = connection.descriptor
            reactor.assumeIsolated { $0.unwatch(watch, number) }
        }
        let isUnread = connection.mustLinger || !connection.hasServed
        if isUnread, !connection.peerHasLeft, daemon != nil {
            let copy = connectd_duplicate(connection.descriptor)
            if copy >= 0 { linger(on: copy) }
        }
        connections[connection.index] = nil
        freeIndices.append(connection.index)
        load.subtract(1, ordering: .relaxed)
    }

    private func watchPeer(of number: Int32, at place: Int) -> SlotToken? {
        let worker = self
        return reactor.assumeIsolated { reactor in
            // Without the watch a client that leaves is noticed when the answer is sent.
            try? reactor.watch(number, for: .peerClosed, edgeTriggered: true) { _ in
                worker.assumeIsolated { $0.peerLeft(at: place) }
            }
        }
    }

    private func peerLeft(at place: Int) {
        guard let connection = connections[place] else { return }
        connection.peerHasLeft = true
        connection.task?.cancel()
        departed.append(place)
        mustRun = true
    }

    /// Ends connections whose clients have left, once the library has read what they sent before.
    ///
    /// The library misses an end that comes in one edge with the last bytes: after a short read it waits for the next edge.
    /// shutdown(2) makes one.
    private func dismissDeparted() {
        for place in departed {
            guard let connection = connections[place], connection.peerHasLeft else { continue }
            switch connection.phase {
            case .idle, .head, .body, .discarding: shutdown(connection.descriptor, Int32(SHUT_RDWR))
            case .suspended, .answering: break  // Its turn comes when the request has ended.
            }
        }
        departed.removeAll(keepingCapacity: true)
    }

    // MARK: Deadlines

    nonisolated func deadline(_ milliseconds: Int) -> UInt64 {
        Clock.now().advanced(byMilliseconds: milliseconds).nanoseconds
    }

    /// A look at all connections a few times in the shortest deadline is cheaper than a timer set twice for each request.
    func startSweeping() {
        guard !isSweeping, let sweepTimer else { return }
        isSweeping = true
        let shortest = min(
            limits.headTimeoutMilliseconds, limits.bodyTimeoutMilliseconds, limits.idleTimeoutMilliseconds,
            limits.discardMilliseconds, limits.sendTimeoutMilliseconds)
        let next = Clock.now().advanced(byMilliseconds: max(10, min(500, shortest / 4)))
        reactor.assumeIsolated { $0.arm(sweepTimer, at: next) }
    }

    private func sweep() {
        isSweeping = false
        let now = Clock.now().nanoseconds
        var isEmpty = true
        for case let connection? in connections {
            isEmpty = false
            if connection.deadline <= now { expire(connection) }
        }
        for (number, close) in lingering where close.deadline <= now { endLingering(number) }
        if !isEmpty || !lingering.isEmpty { startSweeping() }
    }
}

extension HTTPWorker: TurnParticipant {
    nonisolated func takeTurn() -> UInt64 {
        assumeIsolated { $0.turn() }
    }
}
