internal import CLinux
internal import CheckModel
internal import SocketIO
internal import Synchronization
internal import TLSServer

/// Accepts connections on one worker's thread, and gives each to the worker with the fewest.
///
/// Several threads that share a listener, or a port by SO_REUSEPORT, get what the kernel happens to give them: of 65
/// connections 65 and none, or 43 and 22.
actor Acceptor {
    private struct Place {
        let socket: ListeningSocket
        let watch: SlotToken
        /// Left to whoever listens next.
        var isLeft = false
    }

    private nonisolated let reactor: Reactor
    private nonisolated let workers: [HTTPWorker]
    private nonisolated let limits: HTTPLimits
    /// For the listeners that speak TLS: connections from now on get this one.
    private nonisolated let tls: Mutex<ServerContext?>
    private nonisolated let handler: any RequestHandler
    private nonisolated let log: @Sendable (String) -> Void
    private var listeners: [Place] = []
    /// Given up for a moment where the process has no descriptor left, to answer a client that would hang otherwise.
    private var reserve: Int32 = -1
    private var pause: SlotToken?
    private var nextWorker = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    init(
        reactor: Reactor, workers: [HTTPWorker], limits: HTTPLimits, tls: ServerContext?, handler: any RequestHandler,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.tls = Mutex(tls)
        self.reactor = reactor
        self.workers = workers
        self.limits = limits
        self.handler = handler
        self.log = log
    }

    nonisolated func replaceTLS(_ context: ServerContext) {
        tls.withLock { $0 = context }
    }

    func start(_ sockets: [ListeningSocket]) throws(Errno) {
        reserve = try Descriptor.openForReading(Array("/dev/null".utf8)).release()
        for (index, socket) in sockets.enumerated() {
            listeners.append(Place(socket: socket, watch: try watch(socket, index)))
        }
    }

    /// Closes the listeners at once: clients are refused, instead of waiting in a backlog that nobody looks at.
    func stop() {
        for listener in listeners {
            reactor.assumeIsolated { $0.unwatch(listener.watch, listener.socket.descriptor.rawValue) }
            listener.socket.removeFile()
        }
        listeners = []
        if let pause { reactor.assumeIsolated { $0.remove(pause) } }
        pause = nil
        if reserve >= 0 { close(reserve) }
        reserve = -1
    }

    /// Accepts no more on listeners of the service that others keep open.
    /// - Returns: whether there are any.
    func leaveInherited() -> Bool {
        for index in listeners.indices {
            let socket = listeners[index].socket
            guard socket.isInherited, socket.purpose == .service else { continue }
            setInterest([], in: listeners[index])
            listeners[index].isLeft = true
        }
        return listeners.contains(where: \.isLeft)
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

    /// So many in one turn; the rest is there in the next one.
    private static let batch = 64

    private func accept(on index: Int) {
        guard pause == nil, index < listeners.count, !listeners[index].isLeft else { return }
        let listener = listeners[index].socket
        for _ in 0..<Self.batch {
            var name = sockaddr_storage()
            var length = socklen_t()
            let number = connectd_accept(listener.descriptor.rawValue, &name, &length)
            guard number < 0 else {
                dispatch(number, name, length, from: listener)
                continue
            }
            let error = Errno.current
            switch error.rawValue {
            case EAGAIN: return
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return relieve(listener, error)
            default: continue  // What the network said about this one connection (accept(2)): the next may be good.
            }
        }
    }

    private func dispatch(
        _ number: Int32, _ name: sockaddr_storage, _ length: socklen_t, from listener: ListeningSocket
    ) {
        let reserved = listener.purpose == .health ? HTTPLimits.healthConnections : 0
        guard workers.reduce(0, { $0 + $1.load.load(ordering: .relaxed) }) < limits.connections + reserved else {
            return turnAway(number)
        }
        let kind: ListenerKind
        switch listener.address {
        case .ip:
            kind = .tcp
            // Answers are small and written whole: there is nothing to wait for.
            try? SystemCall.setOption(number, level: Int32(IPPROTO_TCP), name: TCP_NODELAY, value: 1)
        case .unix:
            kind = .unix
        }
        let peer = SocketName.endpoint(from: name).map(Peer.ip) ?? .unix
        let source = ConnectionSource(listener: kind, purpose: listener.purpose, peer: peer)
        let context = kind == .tcp && listener.purpose == .service ? tls.withLock { $0 } : nil
        leastLoaded().adopt(
            AcceptedConnection(descriptor: number, name: name, nameLength: length, source: source, tls: context))
    }

    /// The worker with the fewest connections, the next in turn among equals.
    private func leastLoaded() -> HTTPWorker {
        var best = nextWorker
        for offset in 1..<workers.count + 1 {
            let candidate = (nextWorker + offset) % workers.count
            if workers[candidate].load.load(ordering: .relaxed) < workers[best].load.load(ordering: .relaxed) {
                best = candidate
            }
        }
        nextWorker = (best + 1) % workers.count
        return workers[best]
    }

    // MARK: Too many

    /// Answers a connection that is one too many. What it sends is read for a while, so that the answer reaches it.
    private func turnAway(_ number: Int32) {
        // Who speaks TLS is not told: a handshake would be more work than the connection.
        if tls.withLock({ $0 }) == nil { PlainAnswer.send(tooMany(), to: number, withoutBody: false) }
        workers[0].assumeIsolated { $0.linger(on: number) }
    }

    private func tooMany() -> Response {
        handler.problem(status: 503, detail: "There are too many connections.")
    }

    /// No descriptor is left, and the listener stays ready: without a measure, the loop would spin and clients would hang.
    /// The reserve lets one client be told; then nothing is accepted for a moment.
    private func relieve(_ listener: ListeningSocket, _ error: Errno) {
        log("accept4: errno \(error.rawValue): no descriptor or memory for a connection")
        if reserve >= 0 {
            close(reserve)
            var name = sockaddr_storage()
            var length = socklen_t()
            let number = connectd_accept(listener.descriptor.rawValue, &name, &length)
            if number >= 0 {
                PlainAnswer.send(tooMany(), to: number, withoutBody: false)
                close(number)
            }
        }
        reserve = (try? Descriptor.openForReading(Array("/dev/null".utf8)).release()) ?? -1
        startPause()
    }

    private static let pauseMilliseconds = 20

    private func startPause() {
        let acceptor = self
        for listener in listeners { setInterest([], in: listener) }
        pause = reactor.assumeIsolated { reactor in
            let timer = reactor.makeTimer { acceptor.assumeIsolated { $0.endPause() } }
            reactor.arm(timer, at: Clock.now().advanced(byMilliseconds: Self.pauseMilliseconds))
            return timer
        }
    }

    private func endPause() {
        if let pause { reactor.assumeIsolated { $0.remove(pause) } }
        pause = nil
        for listener in listeners where !listener.isLeft { setInterest(.readable, in: listener) }
    }

    private func setInterest(_ interest: Readiness, in listener: Place) {
        reactor.assumeIsolated { try? $0.modify(listener.watch, listener.socket.descriptor.rawValue, for: interest) }
    }
}
