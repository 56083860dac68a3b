internal import CLinux
internal import SocketIO
internal import Synchronization
internal import TLS

extension HTTPDaemon {
    /// Makes a relay between the client and the library.
    /// - Returns: the connection for the library; nil if there is no descriptor, or the client has gone. Then its descriptor is
    ///   closed.
    func relay(_ accepted: AcceptedConnection, by session: ServerSession) -> AcceptedConnection? {
        var pair: [Int32] = [-1, -1]
        let type = connectd_sock_stream | connectd_sock_cloexec | connectd_sock_nonblock
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            CLinux.close(accepted.descriptor)
            return nil
        }
        if let bytes = limits.socketBufferBytes { limitBuffers(of: pair, to: bytes) }
        let key = pair[0]
        let relay = TLSRelay(
            session, charge: accepted.charge, outer: accepted.descriptor, inner: key, reactor: worker.reactor)
        let worker = worker
        relays[key] = relay
        worker.load.add(1, ordering: .relaxed)
        let hasStarted = relay.start { outer, inner in
            worker.daemonOnThread?.stepRelay(key, outer, inner)
        }
        guard hasStarted else {
            relay.end()
            forget(key)
            CLinux.close(pair[1])
            return nil
        }
        var name = sockaddr_storage()
        name.ss_family = sa_family_t(AF_UNIX)
        return AcceptedConnection(
            descriptor: pair[1], name: name, nameLength: socklen_t(MemoryLayout<sa_family_t>.size),
            source: accepted.source, session: nil, relayKey: key)
    }

    private func limitBuffers(of pair: [Int32], to bytes: Int) {
        for number in pair {
            try? SystemCall.setOption(number, level: SOL_SOCKET, name: SO_SNDBUF, value: Int32(clamping: bytes))
        }
    }

    private func stepRelay(_ key: Int32, _ outer: Readiness, _ inner: Readiness) {
        guard let relay = relays[key] else { return }
        relay.step(outer: outer, inner: inner)
        if relay.hasEnded { forget(key) }
    }

    func forget(_ key: Int32) {
        guard relays.removeValue(forKey: key) != nil else { return }
        worker.load.subtract(1, ordering: .relaxed)
    }

    /// Ends TLS connections: idle ones at once, others after their current response. A new connection stays open,
    /// because its first request may already be in flight; that request gets a 503.
    func retireHTTPS() {
        for case let connection? in connections where connection.source.isHTTPS {
            connection.persistence.advance(to: .closing)
            switch connection.phase {
            case .idle:
                connection.persistence.advance(to: .retired)
                if connection.hasServed { end(connection) }
            case .answering, .streaming:
                // The response was sent, maybe without "Connection: close".
                connection.persistence.advance(to: .retired)
            case .head, .body, .discarding, .suspended: break
            }
        }
        runAllSoon()
    }

    /// Whether every client has received all its responses and the close_notify.
    var relaysAreFlushed: Bool { relays.values.allSatisfy(\.isFlushed) }

    /// Whether bytes that the library has sent have not reached the clients' sockets.
    var relaysAreSending: Bool { relays.values.contains(where: \.isSending) }

    func endRelays() {
        for (key, relay) in relays {
            relay.end()
            forget(key)
        }
    }
}
