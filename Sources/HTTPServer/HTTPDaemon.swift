internal import CLinux
internal import CMicrohttpd
internal import CheckModel
internal import SocketIO
internal import Synchronization

/// One instance of libmicrohttpd, a daemon in its words, and the connections that it has: what its worker owns.
///
/// A plain class, since the library calls back into it several times for each request: its worker's thread is the only
/// one that touches it, and the way through the actor would be paid each time for the same certainty.
final class HTTPDaemon {
    /// The actor that owns this; it goes on for as long as the library runs.
    unowned let worker: HTTPWorker
    let handler: any RequestHandler
    let limits: HTTPLimits
    let log: @Sendable (String) -> Void
    private let reactor: Reactor

    /// The library's handle, a struct MHD_Daemon; nil before the start and after the end.
    private var library: OpaquePointer?
    private var libraryWatch: SlotToken?
    private var epollNumber: Int32 = -1
    /// Something happened that the library has to look at.
    var mustRun = false
    /// Every answer closes its connection.
    var isDraining = false
    /// Requests that begin are late.
    var isEnding = false

    private(set) var connections: [Connection?] = []
    private var freePlaces: [Int] = []
    /// What the library was given and has not told of yet, by descriptor. Up to 0.9 it tells of a connection while it is
    /// being given, from 1.0 on when it runs next.
    private var arriving: [Int32: AcceptedConnection] = [:]
    /// The places of connections whose client has left, to be looked at when the library has run.
    var departed: [Int] = []
    var lingering: [Int32: LingeringClose] = [:]
    /// By their descriptor towards the library.
    var relays: [Int32: TLSRelay] = [:]
    var scratch = [UInt8](repeating: 0, count: 65536)

    private var sweepTimer: SlotToken?
    private var isSweeping = false

    init(worker: HTTPWorker) {
        self.worker = worker
        handler = worker.handler
        limits = worker.limits
        log = worker.log
        reactor = worker.reactor
    }

    // MARK: Life

    /// Starts the library.
    /// - Throws: EMFILE, ENFILE, ENOMEM; ENOSPC where the kernel allows no more watches.
    func start() throws(Errno) {
        // SAFETY: the worker keeps this object, and `stop` ends the library before that.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let limit = UInt32(limits.connections + HTTPLimits.healthConnections + 1)
        guard
            let library = connectd_mhd_start(
                context, onAccess, onCompleted, onConnection, onTarget, limit, limits.connectionMemoryBytes)
        else { throw Errno.current.rawValue == 0 ? Errno(ENOMEM) : .current }
        self.library = library
        epollNumber = connectd_mhd_epoll_descriptor(library)
        let worker = worker
        libraryWatch = try watch(epollNumber, for: .readable) { _ in
            worker.assumeIsolated { $0.daemon?.mustRun = true }
        }
        sweepTimer = reactor.assumeIsolated { reactor in
            reactor.makeTimer { worker.assumeIsolated { $0.daemon?.sweep() } }
        }
    }

    /// Ends the library. No connection may be suspended.
    func stop() {
        guard let library else { return }
        if let libraryWatch { unwatch(libraryWatch, epollNumber) }
        if let sweepTimer { reactor.assumeIsolated { $0.remove(sweepTimer) } }
        sweepTimer = nil
        self.library = nil
        MHD_stop_daemon(library)
        forgetArriving()
        for number in Array(lingering.keys) { endLingering(number) }
    }

    /// Runs the library if there is a reason to.
    /// - Returns: as `TurnParticipant` has it.
    func turn() -> UInt64 {
        guard mustRun, let library else { return .max }
        mustRun = false
        MHD_run(library)
        forgetArriving()
        dismissDeparted()
        var wait: UInt64 = 0
        if MHD_get_timeout(library, &wait) == .YES, wait == 0 { mustRun = true }
        return mustRun ? 0 : .max
    }

    // MARK: Connections

    /// Gives a connection to the library, which closes its descriptor in any case.
    func add(_ accepted: AcceptedConnection) {
        guard let library else {
            CLinux.close(accepted.descriptor)
            worker.release(accepted.source)
            return
        }
        let source = accepted.source
        guard let accepted = accepted.session.map({ relay(accepted, by: $0) }) ?? accepted else {
            worker.release(source)
            return
        }
        arriving[accepted.descriptor] = accepted
        let result = withUnsafePointer(to: accepted.name) {
            // SAFETY: every socket address begins as struct sockaddr does, and its length goes with it.
            MHD_add_connection(
                library, accepted.descriptor, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
                accepted.nameLength)
        }
        if result != .YES { forgetArriving(accepted.descriptor) }
        mustRun = true
    }

    /// Takes connections off the load that the library has closed without having told of them: nobody else does.
    private func forgetArriving() {
        guard !arriving.isEmpty else { return }
        for number in Array(arriving.keys) { forgetArriving(number) }
    }

    private func forgetArriving(_ number: Int32) {
        guard let connection = arriving.removeValue(forKey: number) else { return }
        worker.release(connection.source)
    }

    /// The library has made a connection of what it was given.
    /// - Returns: the place in the table.
    func open(_ handle: OpaquePointer) -> Int? {
        guard let accepted = arriving.removeValue(forKey: connectd_mhd_socket(handle)) else { return nil }
        let place = freePlaces.popLast() ?? connections.count
        if place == connections.count { connections.append(nil) }
        let connection = Connection(
            index: place, handle: handle, descriptor: accepted.descriptor, source: accepted.source,
            deadline: deadline(limits.headTimeoutMilliseconds))
        let worker = worker
        // Without the watch a client that leaves is noticed when the answer is sent.
        connection.watch = try? watch(accepted.descriptor, for: .peerClosed, edgeTriggered: true) { _ in
            worker.assumeIsolated { $0.daemon?.peerLeft(at: place) }
        }
        connections[place] = connection
        startSweeping()
        return place
    }

    /// The library is about to close the connection's descriptor.
    func close(_ connection: Connection) {
        if let watch = connection.watch { unwatch(watch, connection.descriptor) }
        let mayBeSending = connection.mustLinger || !connection.hasServed
        if mayBeSending, !connection.peerHasLeft, library != nil {
            let copy = connectd_duplicate(connection.descriptor)
            if copy >= 0 { linger(on: copy) }
        }
        connections[connection.index] = nil
        freePlaces.append(connection.index)
        worker.release(connection.source)
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

    /// Nanoseconds of CLOCK_MONOTONIC, so many milliseconds from now.
    func deadline(_ milliseconds: Int) -> UInt64 {
        Clock.now().advanced(byMilliseconds: milliseconds).nanoseconds
    }

    /// A look at all connections a few times in the shortest deadline is cheaper than a timer set twice for each request.
    func startSweeping() {
        guard !isSweeping, let sweepTimer else { return }
        isSweeping = true
        let next = Clock.now().advanced(byMilliseconds: max(10, min(500, limits.shortestMilliseconds / 4)))
        reactor.assumeIsolated { $0.arm(sweepTimer, at: next) }
    }

    private func sweep() {
        isSweeping = false
        let now = Clock.now().nanoseconds
        for case let connection? in connections where connection.isOver(at: now) { expire(connection) }
        for (number, close) in lingering where close.deadline <= now { endLingering(number) }
        if freePlaces.count < connections.count || !lingering.isEmpty { startSweeping() }
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
