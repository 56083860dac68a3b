internal import CheckModel
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// What each client has done lately, for the limits per client. It lives as long as the service; the limits may change.
///
/// It has a fixed size. When it is full of clients that still count, further addresses share one entry. Tokens and
/// certificates always have their own: strangers cannot make them.
final class ClientTable: Sendable {
    private struct Entry {
        var pace = RequestPace()
        var inFlight = 0
        var targets = RecentTargets()
        /// Refusals since the last line in the log, and when the next line may be written, in nanoseconds.
        var refusals = 0
        var nextLine: UInt64 = 0

        func isQuiet(at now: UInt64) -> Bool {
            inFlight == 0 && targets.count == 0 && pace.fullAt <= now && nextLine <= now
        }
    }

    private struct State {
        var entries: [Client: Entry] = [:]
        var targetCount = 0
        /// Clients that were added since quiet ones were removed, and when that was, in nanoseconds.
        var added = 0
        var lastSweep: UInt64 = 0
    }

    private let state = Mutex(State())
    private let mostTargets: Int
    private let mostClients: Int

    /// - Parameter limitBytes: what the targets of all clients may take.
    init(limitBytes: Int, mostClients: Int = 16_384) {
        mostTargets = max(limitBytes / RecentTargets.targetBytes, 1024)
        self.mostClients = mostClients
    }

    /// Clients with an entry.
    var clientCount: Int { state.withLock { $0.entries.count } }

    /// Counts a check, or the request for one, against the rate.
    /// - Returns: 0 if it may start; otherwise the time to wait, in nanoseconds.
    func take(_ client: Client, rate: Int, share: RequestPace.Share = .whole) -> UInt64 {
        let now = Clock.now().nanoseconds
        return withEntry(of: client) { entry, _ in entry.pace.take(1, at: now, rate: rate, share: share) }
    }

    /// Counts checks that are not refused any more.
    func charge(_ cost: Int, to client: Client, rate: Int) {
        let now = Clock.now().nanoseconds
        withEntry(of: client) { entry, _ in entry.pace.charge(cost, at: now, rate: rate) }
    }

    /// Takes permits for checks in flight. Return them with `release`.
    /// - Returns: how many it took: at most `wanted`, and 0 if the client has all that it may have.
    func acquire(upTo wanted: Int, for client: Client, limit: Int) -> Int {
        withEntry(of: client) { entry, _ in
            let taken = min(wanted, max(limit - entry.inFlight, 0))
            entry.inFlight += taken
            return taken
        }
    }

    func release(_ count: Int, of client: Client) {
        withEntry(of: client) { entry, _ in entry.inFlight = max(entry.inFlight - count, 0) }
    }

    /// Counts a target.
    /// - Returns: 0 if the client may check it; otherwise the time to wait, in nanoseconds.
    func note(target hash: UInt32, of client: Client, limit: Int) -> UInt64 {
        let now = Self.second(of: Clock.now().nanoseconds)
        let mostTargets = mostTargets
        return withEntry(of: client) { entry, total in
            let before = entry.targets.count
            let room = max(mostTargets - total + before, 0)
            let wait = entry.targets.note(hash, at: now, limit: min(limit, room))
            total += entry.targets.count - before
            return UInt64(wait ?? 0) * 1_000_000_000
        }
    }

    /// Counts another target in the place of one that is counted. If that one is not, nothing changes.
    func replace(target old: UInt32, by new: UInt32, of client: Client) {
        let now = Self.second(of: Clock.now().nanoseconds)
        withEntry(of: client) { entry, _ in entry.targets.replace(old, by: new, at: now) }
    }

    /// Counts a refusal for the log.
    /// - Returns: the refusals since the last line; nil if that line is less than ten seconds old.
    func refusalsToLog(of client: Client) -> Int? {
        let now = Clock.now().nanoseconds
        return withEntry(of: client) { entry, _ in
            entry.refusals += 1
            guard now >= entry.nextLine else { return nil }
            defer { (entry.refusals, entry.nextLine) = (0, now + Self.lineNanoseconds) }
            return entry.refusals
        }
    }

    private static let lineNanoseconds: UInt64 = 10_000_000_000

    /// The unit of `RecentTargets`.
    private static func second(of nanoseconds: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000)
    }

    private func withEntry<Result: Sendable>(
        of client: Client, _ body: (inout Entry, inout Int) -> Result
    ) -> Result {
        state.withLock { state in
            let key = state.entries[client] != nil || mayAdd(client, to: &state) ? client : .others
            return body(&state.entries[key, default: Entry()], &state.targetCount)
        }
    }

    /// - Returns: whether a client gets an entry of its own.
    private func mayAdd(_ client: Client, to state: inout State) -> Bool {
        if state.entries.count >= mostClients { sweep(&state) }
        state.added += 1
        return client.isAuthenticated || state.entries.count < mostClients
    }

    /// Removes quiet clients: after many new ones, or after a second. It visits all clients, so it must not run for each.
    private func sweep(_ state: inout State) {
        let now = Clock.now().nanoseconds
        guard state.added >= mostClients / 2 || now - state.lastSweep >= 1_000_000_000 else { return }
        removeQuiet(&state, at: now)
        (state.added, state.lastSweep) = (0, now)
    }

    private func removeQuiet(_ state: inout State, at now: UInt64) {
        let second = Self.second(of: now)
        for client in Array(state.entries.keys) { state.entries[client]?.targets.forgetExpired(at: second) }
        state.entries = state.entries.filter { !$0.value.isQuiet(at: now) }
        state.targetCount = state.entries.values.reduce(0) { $0 + $1.targets.count }
    }
}
