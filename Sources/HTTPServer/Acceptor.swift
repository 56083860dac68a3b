internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// Accepts connections on one worker's thread, and gives each to the worker with the fewest.
///
/// Several threads that share a listener, or a port by SO_REUSEPORT, get what the kernel happens to give them: of 65
/// connections 65 and none, or 43 and 22.
actor Acceptor {
    private struct Place {
        let socket: ListeningSocket
        let watch: SlotToken
    }

    private nonisolated let reactor: Reactor
    private nonisolated let placement: Placement
    /// Where the internet listeners of the service speak TLS; nil where they do not.
    private nonisolated let handshakes: HandshakeWorker?
    /// Reads what clients that were turned away send still.
    private nonisolated let neighbour: HTTPWorker
    private nonisolated let handler: any RequestHandler
    private nonisolated let log: @Sendable (String) -> Void
    /// Given up for a moment where the process has no descriptor left, to answer a client that would wait otherwise.
    private var reserve: Int32 = -1
    /// The client that was answered in place of the reserve, for how many pauses it has been read.
    private var told: (descriptor: Int32, pauses: Int)?
    private var listeners: [Place] = []
    /// Whether clients of sockets that were handed over are left to whoever gets them next.
    private var isHandingOver = false
    private var pause: SlotToken?

    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    /// - Parameter neighbour: the worker on the same thread.
    init(
        reactor: Reactor, neighbour: HTTPWorker, placement: Placement, handshakes: HandshakeWorker?,
        handler: any RequestHandler, log: @escaping @Sendable (String) -> Void
    ) {
        self.reactor = reactor
        self.neighbour = neighbour
        self.placement = placement
        self.handshakes = handshakes
        self.handler = handler
        self.log = log
    }

    func start(_ sockets: [ListeningSocket]) throws(Errno) {
        openReserve()
        for (index, socket) in sockets.enumerated() {
            listeners.append(Place(socket: socket, watch: try watch(socket, index)))
        }
    }

    /// Lets the kernel begin no more handshakes: between a look at the backlog and close(2) there is always a client
    /// otherwise whose connect(2) went well, and whom the close resets. Whoever comes now tries again, and is refused.
    func ignoreNewClients() {
        for listener in listeners where !listener.socket.isInherited {
            if case .ip = listener.socket.address {
                _ = connectd_ignore_new_clients(listener.socket.descriptor.rawValue)
            }
        }
    }

    /// Closes the listeners at once: clients are refused, instead of waiting in a backlog that nobody looks at. Who waits
    /// there already has connected, as far as one can see from outside, and is accepted still.
    func stop() {
        while let listener = listeners.popLast() {
            reactor.assumeIsolated { $0.unwatch(listener.watch, listener.socket.descriptor.rawValue) }
            listener.socket.removeFile()
            // The backlog of a socket that was handed over waits for whoever gets it next.
            if !listener.socket.isInherited { acceptBacklog(of: listener.socket) }
        }
        if let pause { reactor.assumeIsolated { $0.remove(pause) } }
        pause = nil
        if let told = told.take() { close(told.descriptor) }
        if reserve >= 0 { close(reserve) }
        reserve = -1
    }

    /// Accepts no more on sockets that were handed over: their clients wait for the next one who gets them. Supervisors'
    /// are served to the end.
    /// - Returns: whether there are such sockets.
    func handOver() -> Bool {
        isHandingOver = true
        if pause == nil {
            for listener in listeners { setInterest(interest(in: listener), in: listener) }
        }
        return listeners.contains { $0.socket.isInherited }
    }

    private func interest(in listener: Place) -> Readiness {
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

    /// So many in one turn; the rest is there in the next one.
    private static let batch = 64

    private func accept(on index: Int) {
        guard pause == nil, index < listeners.count else { return }
        let listener = listeners[index].socket
        let error = acceptClients(of: listener, atMost: Self.batch)
        if let error, error != Errno(EAGAIN) { relieve(listener, error) }
    }

    /// Twice as many as SOMAXCONN: clients that go on connecting meanwhile do not keep the listener open.
    private static let mostWaiting = 8192

    private func acceptBacklog(of listener: ListeningSocket) {
        _ = acceptClients(of: listener, atMost: Self.mostWaiting)
    }

    /// - Returns: why no more can be accepted: EAGAIN where nobody waits. nil where there may be more.
    private func acceptClients(of listener: ListeningSocket, atMost count: Int) -> Errno? {
        for _ in 0..<count {
            // A client that could only be reset is better off in the backlog.
            guard mayTurnAway || tls(for: listener) != nil || placement.hasRoom(for: listener.purpose) else {
                return Errno(EMFILE)
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
            case EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM: return error
            default: continue  // What the network said about this one connection (accept(2)): the next may be good.
            }
        }
        return nil
    }

    private func dispatch(
        _ number: Int32, _ name: sockaddr_storage, _ length: socklen_t, from listener: ListeningSocket
    ) {
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
        let connection = AcceptedConnection(
            descriptor: number, name: name, nameLength: length, source: source, session: nil)
        // Who shakes hands is no connection of a worker yet, and is told of too many behind that.
        if let handshakes = tls(for: listener) { return handshakes.adopt(connection) }
        guard placement.hasRoom(for: listener.purpose) else { return turnAway(number) }
        placement.adopt(connection)
    }

    private func tls(for listener: ListeningSocket) -> HandshakeWorker? {
        switch listener.address {
        case .ip: listener.purpose == .service ? handshakes : nil
        case .unix: nil
        }
    }

    // MARK: Too many

    /// Answers a connection that is one too many. What it sends is read for a while, so that the answer reaches it.
    private func turnAway(_ number: Int32) {
        PlainAnswer.send(tooMany(), to: number, withoutBody: false)
        neighbour.assumeIsolated { $0.linger(on: number) }
    }

    private var mayTurnAway: Bool { neighbour.assumeIsolated { $0.canLinger } }

    private func tooMany() -> Response {
        handler.problem(status: 503, detail: "There are too many connections.")
    }

    /// There is no room for a client, and the listener stays ready: without a measure, the loop would spin and clients would hang.
    /// The reserve lets one client be told, and read until its request has come: unread, it would be a reset. The others wait
    /// in the backlog for a moment.
    private func relieve(_ listener: ListeningSocket, _ error: Errno) {
        if told == nil, reserve >= 0, tls(for: listener) == nil {
            log("accept4: errno \(error.rawValue): no descriptor or memory for a connection")
            close(reserve)
            reserve = -1
            tellOne(on: listener)
        }
        startPause()
    }

    private func tellOne(on listener: ListeningSocket) {
        var name = sockaddr_storage()
        var length = socklen_t()
        let number = connectd_accept(listener.descriptor.rawValue, &name, &length)
        guard number >= 0 else { return openReserve() }
        PlainAnswer.send(tooMany(), to: number, withoutBody: false)
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

    private func startPause() {
        let acceptor = self
        for listener in listeners { setInterest([], in: listener) }
        // Two listeners of one turn may both ask for it.
        guard pause == nil else { return }
        pause = reactor.assumeIsolated { reactor in
            let timer = reactor.makeTimer { acceptor.assumeIsolated { $0.endPause() } }
            reactor.arm(timer, at: Clock.now().advanced(byMilliseconds: Self.pauseMilliseconds))
            return timer
        }
    }

    private func endPause() {
        if let pause { reactor.assumeIsolated { $0.remove(pause) } }
        pause = nil
        readTold()
        openReserve()
        for listener in listeners { setInterest(interest(in: listener), in: listener) }
    }

    private func setInterest(_ interest: Readiness, in listener: Place) {
        reactor.assumeIsolated { try? $0.modify(listener.watch, listener.socket.descriptor.rawValue, for: interest) }
    }
}
