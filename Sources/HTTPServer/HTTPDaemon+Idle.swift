internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Idle connections give way to new clients if there are as many connections as allowed. So clients that keep connections
/// open cannot make a liveness check fail.
extension HTTPDaemon {
    /// Counts a connection that waits for the first byte of a request.
    func noteIdle(_ connection: Connection) {
        guard !connection.isIdle else { return }
        connection.isIdle = true
        worker.countIdle(1, connection.source.purpose)
    }

    /// Stops counting a connection as idle.
    func noteBusy(_ connection: Connection) {
        guard connection.isIdle else { return }
        connection.isIdle = false
        worker.countIdle(-1, connection.source.purpose)
    }

    /// Ends the connection that has been idle for longest.
    /// - Returns: whether there was one.
    func makeRoom(for purpose: Listener.Purpose) -> Bool {
        if endFirst(of: &idlest, for: purpose) { return true }
        idlest = findIdlest(for: purpose)
        return endFirst(of: &idlest, for: purpose)
    }

    /// Ends the first of them that is still idle.
    private func endFirst(of candidates: inout [IdleCandidate], for purpose: Listener.Purpose) -> Bool {
        while let candidate = candidates.popLast() {
            guard let connection = connections[candidate.index], candidate.isStill(connection, for: purpose),
                !hasInput(connection)
            else { continue }
            noteBusy(connection)
            end(connection)
            return true
        }
        return false
    }

    /// Whether a request has come and waits for its turn.
    private func hasInput(_ connection: Connection) -> Bool {
        var byte: UInt8 = 0
        return recv(connection.descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }

    /// How many connections one search finds. A search visits all connections, so it must not run for each new client.
    private static var mostCandidates: Int { 64 }

    /// The connections that have been idle for longest, that one last.
    private func findIdlest(for purpose: Listener.Purpose) -> [IdleCandidate] {
        var found: [IdleCandidate] = []
        let grace = UInt64(HTTPLimits.silentMilliseconds) * 1_000_000
        let youngest = Clock.now().nanoseconds - grace
        for case let connection? in connections where connection.isIdle && connection.source.purpose == purpose {
            // The bytes of a plain connection are visible here; those of a new TLS connection may still be in its relay.
            guard connection.hasServed || !connection.source.isHTTPS || connection.opened <= youngest else { continue }
            let candidate = IdleCandidate(connection, idleTimeoutMilliseconds: limits.idleTimeoutMilliseconds)
            guard found.count >= Self.mostCandidates else {
                found.append(candidate)
                continue
            }
            guard let latest = found.indices.max(by: { found[$0].since < found[$1].since }),
                candidate.since < found[latest].since
            else { continue }
            found[latest] = candidate
        }
        return found.sorted { $0.since > $1.since }
    }
}

/// A connection that was idle when it was found.
struct IdleCandidate {
    let index: Int
    /// Since when it has been idle, in nanoseconds of CLOCK_MONOTONIC.
    let since: UInt64
    private let opened: UInt64
    private let request: UInt64

    init(_ connection: Connection, idleTimeoutMilliseconds: Int) {
        index = connection.index
        // The deadline of an idle connection runs from its last response.
        since =
            connection.hasServed
            ? connection.deadline &- UInt64(idleTimeoutMilliseconds) * 1_000_000 : connection.opened
        opened = connection.opened
        request = connection.request
    }

    /// Whether it is the same connection, without a request since then.
    func isStill(_ connection: Connection, for purpose: Listener.Purpose) -> Bool {
        connection.isIdle && connection.opened == opened && connection.request == request
            && connection.source.purpose == purpose
    }
}
