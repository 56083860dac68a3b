internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Connections without a complete request head give way to new clients if there are as many connections as allowed, or no
/// descriptor is left. So clients that keep connections open cannot make a liveness check fail.
extension HTTPDaemon {
    /// Counts a connection that waits for a request.
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

    /// Ends the connection that has waited for longest; first those with a part of a request head.
    /// - Returns: whether there was one.
    func makeRoom(for purpose: Listener.Purpose) -> Bool {
        if endFirst(of: &idlest, for: purpose) != nil { return true }
        let now = Clock.now().nanoseconds
        guard now >= nextIdleSearch else { return false }
        idlest = findIdlest(for: purpose)
        // Connections that are too young to give way must not cause a search for each new client.
        if idlest.isEmpty { nextIdleSearch = now + Self.searchPause }
        return endFirst(of: &idlest, for: purpose) != nil
    }

    private static var searchPause: UInt64 { 10_000_000 }

    /// Ends connections that have waited for longest, because the process has no descriptor left.
    /// - Returns: how many were ended.
    func endIdle(atMost count: Int) -> Int {
        let youngest = Clock.now().nanoseconds - UInt64(HTTPLimits.recentMilliseconds) * 1_000_000
        var ended = 0
        for purpose in [Listener.Purpose.service, .health] {
            var candidates = findIdlest(for: purpose).filter { $0.since <= youngest }
            while ended < count, endFirst(of: &candidates, for: purpose) != nil { ended += 1 }
        }
        return ended
    }

    /// Ends the TLS connection that has waited for longest, at once and without a response, because its memory is needed.
    /// - Returns: whether there was one.
    func endIdleSession() -> Bool {
        let youngest = Clock.now().nanoseconds - UInt64(HTTPLimits.recentMilliseconds) * 1_000_000
        var candidates = findIdlest(for: .service).filter { candidate in
            candidate.since <= youngest && connections[candidate.index]?.relayKey ?? -1 >= 0
        }
        guard let ended = endFirst(of: &candidates, for: .service) else { return false }
        relays[ended.relayKey]?.end()
        forget(ended.relayKey)
        return true
    }

    /// Ends the first of them that still waits, and returns it.
    private func endFirst(of candidates: inout [IdleCandidate], for purpose: Listener.Purpose) -> Connection? {
        while let candidate = candidates.popLast() {
            guard let connection = connections[candidate.index], candidate.isStill(connection, for: purpose),
                connection.hasPartOfHead || !hasInput(connection)
            else { continue }
            if connection.hasPartOfHead {
                let problem = handler.problem(status: 408, detail: Self.tooSlow)
                PlainAnswer.send(problem, to: connection.descriptor, withoutBody: false)
                // Unread bytes would turn the close into a reset, which can destroy the answer.
                _ = scratch.withUnsafeMutableBytes {
                    recv(connection.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
                }
            }
            noteBusy(connection)
            if mayBeAboutToAsk(connection) {
                PlainAnswer.send(handler.tooManyConnections, to: connection.descriptor, withoutBody: false)
                endWaiting(connection)
            } else {
                end(connection)
            }
            return connection
        }
        return nil
    }

    /// Whether the first request of a new client may be on its way: it then finds an answer instead of a reset.
    private func mayBeAboutToAsk(_ connection: Connection) -> Bool {
        let recent = UInt64(HTTPLimits.recentMilliseconds) * 1_000_000
        return !connection.hasServed && !connection.hasPartOfHead && connection.handle == nil
            && connection.opened + recent > Clock.now().nanoseconds
    }

    /// Whether a request has come and waits for its turn.
    private func hasInput(_ connection: Connection) -> Bool {
        var byte: UInt8 = 0
        return recv(connection.descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }

    /// How many connections one search finds. A search visits all connections, so it must not run for each new client.
    private static var mostCandidates: Int { 64 }

    /// The connections that have waited for longest, that one last.
    private func findIdlest(for purpose: Listener.Purpose) -> [IdleCandidate] {
        var found: [IdleCandidate] = []
        let now = Clock.now().nanoseconds
        for case let connection? in connections where connection.isIdle && connection.source.purpose == purpose {
            guard mayGiveWay(connection, at: now) else { continue }
            let candidate = IdleCandidate(connection, limits)
            guard found.count >= Self.mostCandidates else {
                found.append(candidate)
                continue
            }
            guard let latest = found.indices.max(by: { found[$0].precedes(found[$1]) }),
                candidate.precedes(found[latest])
            else { continue }
            found[latest] = candidate
        }
        return found.sorted { $1.precedes($0) }
    }

    private func mayGiveWay(_ connection: Connection, at now: UInt64) -> Bool {
        if connection.hasPartOfHead {
            let grace = UInt64(HTTPLimits.incompleteHeadMilliseconds) * 1_000_000
            return IdleCandidate(connection, limits).since + grace <= now
        }
        // The bytes of a plain connection are visible here; those of a new TLS connection may still be in its relay.
        let grace = UInt64(HTTPLimits.silentMilliseconds) * 1_000_000
        return connection.hasServed || !connection.source.isHTTPS || connection.opened + grace <= now
    }
}

/// A connection that waited for a request when it was found.
struct IdleCandidate {
    let index: Int
    /// Since when it has waited, in nanoseconds of CLOCK_MONOTONIC.
    let since: UInt64
    private let hasPartOfHead: Bool
    private let opened: UInt64
    private let request: UInt64

    init(_ connection: Connection, _ limits: HTTPLimits) {
        index = connection.index
        hasPartOfHead = connection.hasPartOfHead
        // The deadline runs from the last response, or from the first byte of the head.
        let timeout = hasPartOfHead ? limits.headTimeoutMilliseconds : limits.idleTimeoutMilliseconds
        since = connection.hasServed ? connection.deadline &- UInt64(timeout) * 1_000_000 : connection.opened
        opened = connection.opened
        request = connection.request
    }

    /// Whether it gives way before another one.
    func precedes(_ other: IdleCandidate) -> Bool {
        hasPartOfHead == other.hasPartOfHead ? since < other.since : hasPartOfHead
    }

    /// Whether it is the same connection in the same state, without a request since then.
    func isStill(_ connection: Connection, for purpose: Listener.Purpose) -> Bool {
        connection.isIdle && connection.opened == opened && connection.request == request
            && connection.hasPartOfHead == hasPartOfHead && connection.source.purpose == purpose
    }
}
