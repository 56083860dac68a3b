internal import CLinux
internal import NetworkTypes
internal import Synchronization

/// The clients whose TLS handshake is under way.
///
/// Where there are too many, whoever comes from the address that has the most gives way to a new client: neither one machine
/// that asks for more handshakes than we can do, nor one that leaves us waiting, keeps the others out.
final class HandshakeTable: Sendable {
    private struct Entry {
        let descriptor: Int32
        let network: UInt128
        /// Whether it is the client's turn.
        var isWaiting = false
        var isDismissed = false
        /// Whether OpenSSL's state for it is charged in the memory budget.
        var holdsMemory = false
    }

    private struct Entries {
        var byNumber: [UInt64: Entry] = [:]
        /// Without those that have to give way; the one that is there longest comes first.
        var numbersByNetwork: [UInt128: [UInt64]] = [:]
        var count = 0
        var next: UInt64 = 0
        var isClosed = false
    }

    private let limit: Int
    private let entries = Mutex(Entries())

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { entries.withLock { $0.byNumber.count } }

    /// - Returns: the client's number; nil where there is no room.
    func add(_ descriptor: Int32, of peer: Peer) -> UInt64? {
        let network = Self.network(of: peer)
        return entries.withLock { entries in
            guard !entries.isClosed else { return nil }
            if entries.count >= limit {
                let most = entries.numbersByNetwork.values.lazy.map(\.count).max() ?? 0
                let isCrowd = entries.numbersByNetwork[network]?.count ?? 0 >= most
                // Those that have to give way are there until their task has seen it: some of that room is for others.
                guard entries.byNumber.count < (isCrowd ? limit * 3 / 2 : 2 * limit),
                    let rival = Self.rival(in: entries, ofNetworkWith: most, hasToWait: isCrowd)
                else { return nil }
                Self.dismiss(rival, in: &entries)
            }
            entries.byNumber[entries.next] = Entry(descriptor: descriptor, network: network)
            entries.numbersByNetwork[network, default: []].append(entries.next)
            entries.count += 1
            defer { entries.next += 1 }
            return entries.next
        }
    }

    /// An IPv4 address, or the /64 of an IPv6 one, which usually is one machine's.
    private static func network(of peer: Peer) -> UInt128 {
        guard case .ip(let endpoint) = peer else { return 0 }
        return switch endpoint.address {
        case .v4(let address): UInt128(address.bits)
        case .v6(let address): address.bits & ~UInt128(UInt64.max)
        }
    }

    /// Who gives way to a new client: the one that is there longest of those with so many of their network.
    /// A flood asks this for each of its connections, on the thread that accepts: no look at all clients.
    /// - Parameter hasToWait: only one that leaves us waiting, as for a client of the same network: to start anew all the time
    ///   would let none end.
    private static func rival(in entries: Entries, ofNetworkWith count: Int, hasToWait: Bool) -> UInt64? {
        entries.numbersByNetwork.values.lazy
            .filter { $0.count == count }
            .compactMap { $0.first { !hasToWait || entries.byNumber[$0]?.isWaiting == true } }
            .min()
    }

    /// Its task sees the end of the connection, and closes the descriptor: whoever is in the table is open.
    private static func dismiss(_ number: UInt64, in entries: inout Entries) {
        guard let entry = entries.byNumber[number], !entry.isDismissed else { return }
        entries.byNumber[number]?.isDismissed = true
        leave(number, of: entry.network, in: &entries)
        shutdown(entry.descriptor, Int32(SHUT_RDWR))
    }

    private static func leave(_ number: UInt64, of network: UInt128, in entries: inout Entries) {
        guard let place = entries.numbersByNetwork[network]?.firstIndex(of: number) else { return }
        entries.count -= 1
        entries.numbersByNetwork[network]?.remove(at: place)
        if entries.numbersByNetwork[network]?.isEmpty == true { entries.numbersByNetwork[network] = nil }
    }

    /// The client's handshake holds memory from here on.
    func noteHoldsMemory(_ number: UInt64) {
        entries.withLock { $0.byNumber[number]?.holdsMemory = true }
    }

    /// Dismisses a client whose handshake holds memory while we wait for it, for a new client: of the networks with the most
    /// handshakes, the one that is there longest. No network gives way to one with more.
    /// - Returns: whether there was one.
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
            return true
        }
    }

    func note(_ number: UInt64, isWaiting: Bool) {
        entries.withLock { $0.byNumber[number]?.isWaiting = isWaiting }
    }

    func isDismissed(_ number: UInt64) -> Bool {
        entries.withLock { $0.byNumber[number]?.isDismissed ?? true }
    }

    /// Call it before the descriptor is closed, or given away.
    func remove(_ number: UInt64) {
        entries.withLock { entries in
            guard let entry = entries.byNumber.removeValue(forKey: number), !entry.isDismissed else { return }
            Self.leave(number, of: entry.network, in: &entries)
        }
    }

    /// Ends all, and takes no more.
    func close() {
        entries.withLock { entries in
            entries.isClosed = true
            for number in entries.byNumber.keys { Self.dismiss(number, in: &entries) }
        }
    }
}
