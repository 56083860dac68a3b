internal import CLinux
internal import Synchronization

/// The memory, in bytes, that clients can make the service hold. One budget serves the whole process.
///
/// Large memory is charged before it is held, for authenticated clients too. A plain check is small and is not charged: the
/// limits on connections and checks bound it.
public final class MemoryBudget: Sendable {
    /// What clients hold memory for.
    public enum Use: String, CaseIterable, Sendable {
        /// TLS handshakes in progress.
        case handshakes
        /// TLS connections after their handshake.
        case sessions
        /// Request heads that need more than a connection's usual memory.
        case heads
        /// Request bodies of more than `MemoryBudget.freeBodyBytes`, and the values decoded from them.
        case bodies
        /// Responses that clients have not read yet, and the buffers of streams.
        case answers
    }

    /// The limit for all uses together.
    public let limitBytes: Int

    private let total = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)
    private let handshakes = Atomic<Int>(0)
    private let sessions = Atomic<Int>(0)
    private let heads = Atomic<Int>(0)
    private let bodies = Atomic<Int>(0)
    private let answers = Atomic<Int>(0)
    private let refusals = Mutex<[Use: UInt64]>([:])

    /// - Parameter limitBytes: at least 1.
    public init(limitBytes: Int) {
        self.limitBytes = max(limitBytes, 1)
    }

    /// The budget for a machine or container with this much memory, in bytes.
    ///
    /// It is a quarter, from 4 MiB to 512 MiB: the program itself and the checks in flight need the rest.
    public static func share(ofAvailable bytes: Int) -> Int {
        min(max(bytes / 4, 4 << 20), 512 << 20)
    }

    /// The longest body that is not charged.
    public static let freeBodyBytes = 1024

    /// What a request body of that length holds until its response: its bytes and the values decoded from them.
    public static func bodyCharge(_ count: Int) -> Int {
        guard count > freeBodyBytes else { return 0 }
        // A check of 64 KiB holds up to six times as much while it waits. Longer bodies have long values.
        return count <= 65_536 ? count * 6 : 65_536 * 6 + (count - 65_536) * 2
    }

    /// Bytes that clients hold now.
    public var heldBytes: Int { total.load(ordering: .relaxed) }

    /// Bytes that clients hold now for one use.
    public func heldBytes(by use: Use) -> Int { account(of: use) { $0.load(ordering: .relaxed) } }

    /// How often a client was refused or dismissed because of one use, since the start.
    public func refusalCount(of use: Use) -> UInt64 { refusals.withLock { $0[use] ?? 0 } }

    /// Counts a client that is refused or dismissed for lack of memory.
    public func noteRefusal(of use: Use) {
        refusals.withLock { $0[use, default: 0] += 1 }
    }

    /// The limit of one use, so that none takes everything from the others.
    public func ceiling(of use: Use) -> Int {
        switch use {
        case .handshakes: limitBytes / 2
        case .sessions: limitBytes / 2
        case .heads: limitBytes / 4
        case .bodies: limitBytes / 4 * 3
        case .answers: limitBytes / 2
        }
    }

    /// Whether a charge would be accepted now.
    public func hasRoom(for bytes: Int, of use: Use) -> Bool {
        guard bytes > 0 else { return true }
        let ofUse = heldBytes(by: use) + bytes
        return ofUse <= ceiling(of: use) && heldBytes + bytes <= limitBytes
    }

    /// Charges memory that is about to be held.
    /// - Returns: false if there is no room; then nothing is charged.
    public func charge(_ bytes: Int, for use: Use) -> Bool {
        guard bytes > 0 else { return true }
        let ofUse = account(of: use) { $0.add(bytes, ordering: .relaxed).newValue }
        let ofAll = total.add(bytes, ordering: .relaxed).newValue
        guard ofUse <= ceiling(of: use), ofAll <= limitBytes else {
            release(bytes, of: use)
            return false
        }
        notePeak(ofAll)
        return true
    }

    /// Charges memory that is held even if there is no room for it.
    /// - Returns: whether there was room.
    public func chargeAnyway(_ bytes: Int, for use: Use) -> Bool {
        let ofUse = account(of: use) { $0.add(bytes, ordering: .relaxed).newValue }
        let ofAll = total.add(bytes, ordering: .relaxed).newValue
        notePeak(ofAll)
        return ofUse <= ceiling(of: use) && ofAll <= limitBytes
    }

    /// Releases a charge, after the memory was freed.
    public func release(_ bytes: Int, of use: Use) {
        guard bytes > 0 else { return }
        _ = account(of: use) { $0.subtract(bytes, ordering: .relaxed) }
        total.subtract(bytes, ordering: .relaxed)
        if endsFlood() { connectd_trim_memory_soon() }
    }

    private func notePeak(_ bytes: Int) {
        if bytes > peak.load(ordering: .relaxed) { peak.store(bytes, ordering: .relaxed) }
    }

    /// Whether a flood has just ended; true once for each. The allocator still keeps the freed memory then.
    private func endsFlood() -> Bool {
        let highest = peak.load(ordering: .relaxed)
        let now = heldBytes
        guard highest > limitBytes / 8, now <= highest / 4 else { return false }
        return peak.compareExchange(expected: highest, desired: now, ordering: .relaxed).exchanged
    }

    private func account<Result>(of use: Use, _ body: (borrowing Atomic<Int>) -> Result) -> Result {
        switch use {
        case .handshakes: body(handshakes)
        case .sessions: body(sessions)
        case .heads: body(heads)
        case .bodies: body(bodies)
        case .answers: body(answers)
        }
    }
}

/// A charge that is released with this object.
public final class MemoryCharge: Sendable {
    private let budget: MemoryBudget
    private let use: MemoryBudget.Use
    private let bytes: Int

    /// nil if there is no room.
    public init?(_ bytes: Int, for use: MemoryBudget.Use, in budget: MemoryBudget) {
        guard budget.charge(bytes, for: use) else { return nil }
        self.budget = budget
        self.use = use
        self.bytes = bytes
    }

    deinit { budget.release(bytes, of: use) }
}
