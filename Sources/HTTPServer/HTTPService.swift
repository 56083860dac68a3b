internal import CLinux
public import NetworkTypes
public import SocketIO
internal import Synchronization
public import TLS

/// An HTTP/1.1 server. libmicrohttpd parses and sends; the caller's reactors wait for events.
///
/// Call `start`, `startDraining`, `handOver`, `drain` and `shutDown` in this order. Stop the reactors after that.
public final class HTTPService: Sendable {
    /// The addresses that it listens on, in the order given. Port 0 is replaced by the port that the kernel chose.
    public let addresses: [ListenAddress]
    /// The files of its UNIX-domain sockets.
    public let files: Set<FileIdentity>
    /// The first one is for all listeners; with a thread for health listeners, these have the second.
    private let acceptors: [Acceptor]
    private let handshakes: HandshakeWorker?
    private let workers: [HTTPWorker]

    private init(
        sockets: [ListeningSocket], acceptors: [Acceptor], handshakes: HandshakeWorker?, workers: [HTTPWorker]
    ) {
        addresses = sockets.map(\.address)
        files = Set(sockets.compactMap(\.fileIdentity))
        self.acceptors = acceptors
        self.handshakes = handshakes
        self.workers = workers
    }

    /// Listens, and starts to serve. Makes the process ignore SIGPIPE.
    /// - Parameters:
    ///   - listeners: at least one. All are bound before the first connection is accepted.
    ///   - reactors: one for each worker, with their threads running. The first one also accepts.
    ///   - health: of a thread that serves the health listeners and does nothing else, so that they answer whatever the
    ///     workers do; nil if the workers serve them.
    ///   - prepare: called once, with `addresses` and `files`, when all listeners are bound and no request has been read. Clients
    ///     that connect before it returns wait in the kernel.
    ///   - https: the TLS context of all TCP listeners except health listeners; nil for plain HTTP.
    ///   - log: called on workers' threads with messages about failed responses and of the library.
    /// - Throws: if an address cannot be listened on, or a worker cannot start.
    public static func start(
        on listeners: [Listener], reactors: [Reactor], health: Reactor? = nil,
        limits: HTTPLimits = HTTPLimits(), https: HTTPSFront? = nil,
        handler: any RequestHandler, log: @escaping @Sendable (String) -> Void = { _ in },
        prepare: ([ListenAddress], Set<FileIdentity>) -> Void = { _, _ in }
    ) async throws(HTTPServiceError) -> HTTPService {
        connectd_ignore_sigpipe()
        var sockets: [ListeningSocket] = []
        do throws(HTTPServiceError) {
            for listener in listeners {
                sockets.append(try ListeningSocket(listener, bufferBytes: limits.socketBufferBytes))
            }
            prepare(sockets.map(\.address), Set(sockets.compactMap(\.fileIdentity)))
            return try await start(sockets, reactors, health, limits, https, handler, log)
        } catch {
            for socket in sockets { socket.removeFile() }
            throw error
        }
    }

    private static func start(
        _ sockets: [ListeningSocket], _ reactors: [Reactor], _ health: Reactor?, _ limits: HTTPLimits,
        _ https: HTTPSFront?, _ handler: any RequestHandler, _ log: @escaping @Sendable (String) -> Void
    ) async throws(HTTPServiceError) -> HTTPService {
        let hasHealthListener = sockets.contains { $0.purpose == .health }
        let clients = ClientConnections(
            limit: limits.connectionsPerClient,
            serviceLimit: limits.serviceConnections(besidesHealthListener: hasHealthListener),
            healthLimit: limits.healthShare)
        let workers = (reactors + [health].compactMap(\.self)).enumerated().map { index, reactor in
            HTTPWorker(
                index: index, reactor: reactor, limits: limits, clients: clients, handler: handler, log: log)
        }
        let placement = Placement(
            workers: Array(workers.prefix(reactors.count)), clients: clients, limits: limits,
            hasHealthListener: hasHealthListener)
        let handshakes = https.map {
            HandshakeWorker($0, placement: placement, limits: limits, handler: handler, log: log)
        }
        var acceptors = [
            Acceptor(
                reactor: reactors[0], localWorker: workers[0], placement: placement, handshakes: handshakes,
                handler: handler, log: log)
        ]
        if let health, let last = workers.last {
            let placement = Placement(
                workers: [last], clients: clients, limits: limits, hasHealthListener: true)
            acceptors.append(
                Acceptor(
                    reactor: health, localWorker: last, placement: placement, handshakes: nil, handler: handler,
                    log: log)
            )
        }
        let service = HTTPService(sockets: sockets, acceptors: acceptors, handshakes: handshakes, workers: workers)
        do throws(Errno) {
            for worker in workers { try await worker.start() }
            await handshakes?.start()
            for (index, acceptor) in acceptors.enumerated() {
                try await acceptor.start(
                    sockets.filter { acceptors.count == 1 || ($0.purpose == .health) == (index == 1) })
            }
        } catch {
            await service.shutDown()
            throw .cannotStartWorker(error)
        }
        return service
    }

    /// Sends `Connection: close` with every response from now on, so that clients with persistent connections send their next
    /// request elsewhere.
    public func startDraining() async {
        for worker in workers { await worker.startDraining() }
    }

    /// Leaves new clients of inherited sockets to the next process, and waits a moment for the first requests of those that
    /// have been accepted. Other listeners continue.
    public func handOver() async {
        // Health listeners continue in any case.
        guard await acceptors[0].handOver() else { return }
        await handshakes?.awaitHandshakes()
        let deadline = Clock.now().advanced(byMilliseconds: HTTPLimits.firstRequestMilliseconds)
        for worker in workers { await worker.awaitFirstRequests(until: deadline) }
    }

    /// Waits for the requests that have begun by now, streams included. The handler should refuse later ones.
    /// - Returns: whether all responses were sent in full before the deadline.
    public func drain(until deadline: MonotonicTime) async -> Bool {
        await startDraining()
        for worker in workers { await worker.startEnding() }
        for worker in workers {
            guard await worker.drain(until: deadline) else { return false }
        }
        return true
    }

    /// Closes the listeners and waits for every request. Then it cancels the handlers and streams that still run, sends the
    /// handlers' responses, and closes all connections. A stream that is still open ends without its last chunk.
    /// - Parameter deadline: for requests. If it has passed, clients that have just connected still get 200 ms.
    /// - Returns: whether all responses were sent in full.
    @discardableResult
    public func shutDown(until deadline: MonotonicTime = Clock.now()) async -> Bool {
        await startDraining()
        for acceptor in acceptors { await acceptor.ignoreNewClients() }
        let isVisited = connectionCounts.contains { $0 > 0 } || handshakes.map { !$0.isIdle } ?? false
        if isVisited { await workers[0].awaitHandshakes() }
        for acceptor in acceptors { await acceptor.stop() }
        await handshakes?.stop()
        let last = max(deadline, Clock.now().advanced(byMilliseconds: HTTPLimits.firstRequestMilliseconds))
        var isComplete = true
        for worker in workers where await !worker.awaitIdle(until: last) { isComplete = false }
        // In parallel: each may wait some seconds for its clients.
        await withTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.shutDown() } }
        }
        return isComplete
    }

    /// Replaces the TLS context for new connections. If it admits fewer clients, open TLS connections are ended after their
    /// current request. A service without HTTPS does not change.
    /// - Parameter done: called on a thread of the service when the context is in effect.
    public func replaceTLS(_ context: ServerContext, done: @escaping @Sendable () -> Void) {
        guard let handshakes else { return done() }
        handshakes.replace(context, done: done)
    }

    // MARK: Counts

    /// Open connections of each worker.
    public var connectionCounts: [Int] { workers.map { $0.load.load(ordering: .relaxed) } }

    /// Requests whose handler has started, and whose response has not been sent in full.
    public var inFlightCount: Int { workers.reduce(0) { $0 + $1.inFlight.load(ordering: .relaxed) } }
}

/// The TLS context of the TCP listeners, except health listeners, and the thread for their handshakes.
public struct HTTPSFront: Sendable {
    let context: ServerContext
    let reactor: Reactor

    /// - Parameter reactor: of a thread that does nothing else, so that handshakes never delay established connections.
    public init(context: ServerContext, reactor: Reactor) {
        self.context = context
        self.reactor = reactor
    }
}

/// Why the service cannot start.
public enum HTTPServiceError: Error, Hashable, Sendable {
    /// EADDRINUSE if the address is in use; EACCES, EADDRNOTAVAIL, ENAMETOOLONG, ENOENT and others as in bind(2).
    case cannotListen(ListenAddress, Errno)
    /// EMFILE, ENFILE, ENOMEM, ENOSPC: a worker could not get what it needs.
    case cannotStartWorker(Errno)
}
