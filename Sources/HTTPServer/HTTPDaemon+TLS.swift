internal import CLinux
internal import SocketIO
internal import Synchronization
internal import TLS

extension HTTPDaemon {
    /// Puts a relay between the client and the library.
    /// - Returns: the connection for the library; nil where there is no descriptor, or the client has gone: its own is closed then.
    func relay(_ accepted: AcceptedConnection, by session: ServerSession) -> AcceptedConnection? {
        var pair: [Int32] = [-1, -1]
        let type = connectd_sock_stream | connectd_sock_cloexec | connectd_sock_nonblock
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            CLinux.close(accepted.descriptor)
            return nil
        }
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
            source: accepted.source, session: nil)
    }

    private func stepRelay(_ key: Int32, _ outer: Readiness, _ inner: Readiness) {
        guard let relay = relays[key] else { return }
        relay.step(outer: outer, inner: inner)
        if relay.hasEnded { forget(key) }
    }

    private func forget(_ key: Int32) {
        guard relays.removeValue(forKey: key) != nil else { return }
        worker.load.subtract(1, ordering: .relaxed)
    }

    /// Connections between requests end at once, the others behind the answer to the request that is on them. Whoever has
    /// just connected is told, since its first request may be on its way.
    func retireHTTPS() {
        for case let connection? in connections where connection.source.isHTTPS {
            connection.mustClose = true
            switch connection.phase {
            case .idle:
                connection.isRetired = true
                if connection.hasServed { end(connection) }
            case .answering: connection.isRetired = true  // Its answer has gone out, and may not have said "close".
            case .head, .body, .discarding, .suspended: break
            }
        }
        mustRun = true
        mustRunLarge = true
    }

    /// Whether every client has what was sent to it, and knows that no more comes.
    var relaysAreFlushed: Bool { relays.values.allSatisfy(\.isFlushed) }

    /// Whether answers that the library has sent are on their way to clients still.
    var relaysAreSending: Bool { relays.values.contains(where: \.isSending) }

    func endRelays() {
        for (key, relay) in relays {
            relay.end()
            forget(key)
        }
    }
}
