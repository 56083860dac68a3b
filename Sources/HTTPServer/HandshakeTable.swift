internal import CLinux
internal import Synchronization

/// The clients whose TLS handshake is in progress.
///
/// If there are too many, a client from the network with the most handshakes is dismissed for a new client. So a
/// machine with many handshakes does not keep others out, and neither does a client that never completes one.
final class HandshakeTable: Sendable {
    private struct Entry {
        let descriptor: Int32
        let network: ClientNetwork?
        /// Whether we wait for bytes of the client.
        var isWaiting = false
        var isDismissed = false
        /// Whether OpenSSL's state for it is charged in the memory budget.
        var holdsMemory = false
    }

    private struct Entries {
        var byNumber: [UInt64: Entry] = [:]
        /// Without dismissed clients; oldest first.
        var numbersByNetwork: [ClientNetwork?: [UInt64]] = [:]
        var count = 0
        var next: UInt64 = 0
        var isClosed = false
    }

    private let limit: Int
    private let entries = Mutex(Entries())

    private let onDismissal: @Sendable () -> Void

    /// - Parameter onDismissal: called for each client that is refused or dismissed for another one.
    init(limit: Int, onDismissal: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.onDismissal = onDismissal
    }

    var count: Int { entries.withLock { $0.byNumber.count } }

    /// - Returns: the client's key; nil if there is no room.
    func add(_ descriptor: Int32, of peer: Peer) -> UInt64? {
        let network = ClientNetwork(of: peer)
        return entries.withLock { entries in
            guard !entries.isClosed else { return nil }
            if entries.count >= limit {
                let most = entries.numbersByNetwork.values.lazy.map(\.count).max() ?? 0
                let isCrowd = entries.numbersByNetwork[network]?.count ?? 0 >= most
                // Dismissed clients stay until their task has noticed: others may use some of that room.
                guard entries.byNumber.count < (isCrowd ? limit * 3 / 2 : 2 * limit),
                    let rival = Self.rival(in: entries, ofNetworkWith: most, hasToWait: isCrowd)
                else {
                    onDismissal()
                    return nil
                }
                Self.dismiss(rival, in: &entries)
                onDismissal()
            }
            entries.byNumber[entries.next] = Entry(descriptor: descriptor, network: network)
            entries.numbersByNetwork[network, default: []].append(entries.next)
            entries.count += 1
            defer { entries.next += 1 }
            return entries.next
        }
    }

    /// The client to dismiss for a new one: the oldest of the networks with `count` handshakes. In a flood, the
    /// accepting thread calls this for each connection, so it does not visit all clients.
    /// - Parameter hasToWait: whether only clients that we wait for are considered, as when the new one is of the same
    /// network. Otherwise no handshake of that network would ever complete.
    private static func rival(in entries: Entries, ofNetworkWith count: Int, hasToWait: Bool) -> UInt64? {
        entries.numbersByNetwork.values.lazy
            .filter { $0.count == count }
            .compactMap { $0.first { !hasToWait || entries.byNumber[$0]?.isWaiting == true } }
            .min()
    }

    /// Ends the connection. Its task notices, and closes the descriptor: descriptors in the table are open.
    private static func dismiss(_ number: UInt64, in entries: inout Entries) {
        guard let entry = entries.byNumber[number], !entry.isDismissed else { return }
        entries.byNumber[number]?.isDismissed = true
        leave(number, of: entry.network, in: &entries)
        shutdown(entry.descriptor, Int32(SHUT_RDWR))
    }

    private static func leave(_ number: UInt64, of network: ClientNetwork?, in entries: inout Entries) {
        guard let place = entries.numbersByNetwork[network]?.firstIndex(of: number) else { return }
        entries.count -= 1
        entries.numbersByNetwork[network]?.remove(at: place)
        if entries.numbersByNetwork[network]?.isEmpty == true { entries.numbersByNetwork[network] = nil }
    }

    /// Notes that the client's handshake holds memory from now on.
    func noteHoldsMemory(_ number: UInt64) {
        entries.withLock { $0.byNumber[number]?.holdsMemory = true }
    }

    /// Dismisses a client that holds memory while we wait for it: the oldest of the network with the most handshakes. A
    /// network with fewer handshakes than the new client's is left alone.
    /// - Returns: whether a client was dismissed.
    func makeRoom(for number: UInt64) -> Bool {
        entries.withLock { entries in
            guard let network = entries.byNumber[number]?.network else { return false }
            var best: (count: Int, number: UInt64)?
            for (rival, entry) in entries.byNumber where entry.holdsMemory && entry.isWaiting && !entry.isDismissed {
                let count = entries.numbersByNetwork[entry.network]?.count ?? 0
                if let best, (best.count, rival) > (count, best.number) { continue }
                best = (count, rival)
            }
            guard let best, best.count >= entries.numbersByNetwork[network]?.count ?? 0 else { return false }
            Self.dismiss(best.number, in: &entries)
            onDismissal()
            return true
        }
    }

    func note(_ number: UInt64, isWaiting: Bool) {
        entries.withLock { $0.byNumber[number]?.isWaiting = isWaiting }
    }

    func isDismissed(_ number: UInt64) -> Bool {
        entries.withLock { $0.byNumber[number]?.isDismissed ?? true }
    }

    /// Removes a client. Call it before the descriptor is closed or passed on.
    func remove(_ number: UInt64) {
        entries.withLock { entries in
            guard let entry = entries.byNumber.removeValue(forKey: number), !entry.isDismissed else { return }
            Self.leave(number, of: entry.network, in: &entries)
        }
    }

    /// Dismisses all clients, and refuses new ones.
    func close() {
        entries.withLock { entries in
            entries.isClosed = true
            for number in entries.byNumber.keys { Self.dismiss(number, in: &entries) }
        }
    }
}
