internal import CLinux
public import NetworkTypes
public import SocketIO
internal import Synchronization
public import TLS

/// An HTTP/1.1 service on threads that others run: libmicrohttpd parses and sends, the reactors wait.
///
/// In the order of a life: `start`, `startDraining`, `handOver`, `drain`, `shutDown`, and only then may the reactors be stopped.
public final class HTTPService: Sendable {
    /// Where it listens, in the order given; port 0 is replaced by what the kernel chose.
    public let addresses: [ListenAddress]
    /// The files of its UNIX-domain sockets.
    public let files: Set<FileIdentity>
    private let acceptor: Acceptor
    private let handshakes: HandshakeWorker?
    private let workers: [HTTPWorker]

    private init(
        sockets: [ListeningSocket], acceptor: Acceptor, handshakes: HandshakeWorker?, workers: [HTTPWorker]
    ) {
        addresses = sockets.map(\.address)
        files = Set(sockets.compactMap(\.fileIdentity))
        self.acceptor = acceptor
        self.handshakes = handshakes
        self.workers = workers
    }

    /// Listens, and starts to serve. The process must ignore SIGPIPE, which this does.
    /// - Parameters:
    ///   - listeners: at least one. All are bound before the first connection is accepted.
    ///   - reactors: one for each worker, their threads running; the first one accepts.
    ///   - https: where it is given, internet listeners of the service speak TLS by it.
    ///   - log: is told what the library complains of, mostly clients' faults; called on workers' threads.
    public static func start(
        on listeners: [Listener], reactors: [Reactor], limits: HTTPLimits = HTTPLimits(),
        https: HTTPSFront? = nil,
        handler: any RequestHandler, log: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(HTTPServiceError) -> HTTPService {
        connectd_ignore_sigpipe()
        var sockets: [ListeningSocket] = []
        do throws(HTTPServiceError) {
            for listener in listeners { sockets.append(try ListeningSocket(listener)) }
            return try await start(sockets, reactors, limits, https, handler, log)
        } catch {
            for socket in sockets { socket.removeFile() }
            throw error
        }
    }

    private static func start(
        _ sockets: [ListeningSocket], _ reactors: [Reactor], _ limits: HTTPLimits, _ https: HTTPSFront?,
        _ handler: any RequestHandler,
        _ log: @escaping @Sendable (String) -> Void
    ) async throws(HTTPServiceError) -> HTTPService {
        let workers = reactors.enumerated().map { index, reactor in
            HTTPWorker(index: index, reactor: reactor, limits: limits, handler: handler, log: log)
        }
        let placement = Placement(
            workers: workers, limits: limits, hasHealthListener: sockets.contains { $0.purpose == .health })
        let handshakes = https.map {
            HandshakeWorker($0, placement: placement, limits: limits, handler: handler, log: log)
        }
        let acceptor = Acceptor(
            reactor: reactors[0], neighbour: workers[0], placement: placement, handshakes: handshakes,
            handler: handler, log: log)
        let service = HTTPService(
            sockets: sockets, acceptor: acceptor, handshakes: handshakes, workers: workers)
        do throws(Errno) {
            for worker in workers { try await worker.start() }
            await handshakes?.start()
            try await acceptor.start(sockets)
        } catch {
            await service.shutDown()
            throw .cannotStartWorker(error)
        }
        return service
    }

    /// Every answer closes its connection from here on, and says so: whoever keeps connections goes elsewhere with the
    /// next request, and does not meet the end.
    public func startDraining() async {
        for worker in workers { await worker.startDraining() }
    }

    /// Leaves new clients of sockets that were handed over to whoever gets them next, and gives those that are accepted
    /// already the time to begin a request. Others are served still.
    public func handOver() async {
        guard await acceptor.handOver() else { return }
        await handshakes?.settle()
        let deadline = Clock.now().advanced(byMilliseconds: HTTPLimits.firstRequestMilliseconds)
        for worker in workers { await worker.awaitFirstRequests(until: deadline) }
    }

    /// Waits for the requests that have begun by now; those that begin later should be refused.
    /// - Returns: whether all were answered in full before the deadline.
    public func drain(until deadline: MonotonicTime) async -> Bool {
        await startDraining()
        for worker in workers { await worker.startEnding() }
        for worker in workers {
            guard await worker.drain(until: deadline) else { return false }
        }
        return true
    }

    /// Closes the listeners, waits for every request that has begun and for what new clients send, cancels the handlers
    /// that run still, sends what they answer, and closes every connection.
    /// - Parameter deadline: where it is over already, clients that have just connected get a moment all the same.
    /// - Returns: whether nothing had to be broken off.
    @discardableResult
    public func shutDown(until deadline: MonotonicTime = Clock.now()) async -> Bool {
        await startDraining()
        await acceptor.ignoreNewClients()
        let isVisited = connectionCounts.contains { $0 > 0 } || handshakes.map { !$0.isIdle } ?? false
        if isVisited { await workers[0].awaitHandshakes() }
        await acceptor.stop()
        await handshakes?.stop()
        let last = max(deadline, Clock.now().advanced(byMilliseconds: HTTPLimits.firstRequestMilliseconds))
        var isComplete = true
        for worker in workers where await !worker.settle(until: last) { isComplete = false }
        // At once: each may wait some seconds for its clients.
        await withTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.shutDown() } }
        }
        return isComplete
    }

    /// Shows new clients another certificate; where it lets in other clients, connections over TLS are ended. A service that
    /// began without TLS does not change.
    /// - Parameter done: is called when that is in force, on a thread of the service.
    public func replaceTLS(_ context: ServerContext, done: @escaping @Sendable () -> Void) {
        guard let handshakes else { return done() }
        handshakes.replace(context, done: done)
    }

    // MARK: Numbers

    /// Open connections of each worker.
    public var connectionCounts: [Int] { workers.map { $0.load.load(ordering: .relaxed) } }

    /// Requests whose handler was started, and whose answer is not sent in full.
    public var inFlightCount: Int { workers.reduce(0) { $0 + $1.inFlight.load(ordering: .relaxed) } }
}
