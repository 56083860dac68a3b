internal import CLinux
internal import Synchronization

/// The memory that clients can make the service hold, in bytes: one account for the whole process.
///
/// What is large is charged here before it is held, whether or not we know who the client is. A plain check is small and
/// is not charged: the limits of connections and of checks bound those.
public final class MemoryBudget: Sendable {
    /// What clients hold memory by.
    public enum Use: String, CaseIterable, Sendable {
        /// TLS handshakes under way.
        case handshakes
        /// TLS connections after their handshake.
        case sessions
        /// Request heads that need more than a connection's usual memory.
        case heads
        /// Request bodies of more than `MemoryBudget.freeBodyBytes`, and what is made of them.
        case bodies
        /// Responses that clients have not taken yet.
        case answers
    }

    /// The most that all uses hold together.
    public let limitBytes: Int

    private let total = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)
    private let handshakes = Atomic<Int>(0)
    private let sessions = Atomic<Int>(0)
    private let heads = Atomic<Int>(0)
    private let bodies = Atomic<Int>(0)
    private let answers = Atomic<Int>(0)

    /// - Parameter limitBytes: at least 1.
    public init(limitBytes: Int) {
        self.limitBytes = max(limitBytes, 1)
    }

    /// The budget of a machine or container with so much memory.
    ///
    /// A quarter: the program itself and the checks in flight need the rest. Half of a gigabyte is enough for any number
    /// of honest clients.
    public static func share(ofAvailable bytes: Int) -> Int {
        min(max(bytes / 4, 4 << 20), 512 << 20)
    }

    /// The longest body that is not charged.
    public static let freeBodyBytes = 1024

    /// How much a body of a request holds until it is answered: its bytes and the values that were read from them.
    public static func bodyCharge(_ count: Int) -> Int {
        guard count > freeBodyBytes else { return 0 }
        // A check of 64 KiB holds up to six times as much while it waits. Longer bodies have long values.
        return count <= 65_536 ? count * 6 : 65_536 * 6 + (count - 65_536) * 2
    }

    /// Bytes that clients hold now.
    public var heldBytes: Int { total.load(ordering: .relaxed) }

    /// Bytes that clients hold now by one use.
    public func heldBytes(by use: Use) -> Int { account(of: use) { $0.load(ordering: .relaxed) } }

    /// The most that one use may hold: no use takes everything from the others.
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
    /// - Returns: false where there is no room; nothing is charged then.
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

    /// Charges memory that is held in any case.
    /// - Returns: whether there was room for it.
    public func chargeAnyway(_ bytes: Int, for use: Use) -> Bool {
        let ofUse = account(of: use) { $0.add(bytes, ordering: .relaxed).newValue }
        let ofAll = total.add(bytes, ordering: .relaxed).newValue
        notePeak(ofAll)
        return ofUse <= ceiling(of: use) && ofAll <= limitBytes
    }

    /// Gives back what was charged, after it was freed.
    public func release(_ bytes: Int, of use: Use) {
        guard bytes > 0 else { return }
        _ = account(of: use) { $0.subtract(bytes, ordering: .relaxed) }
        total.subtract(bytes, ordering: .relaxed)
        if endsFlood() { connectd_trim_memory_soon() }
    }

    private func notePeak(_ bytes: Int) {
        if bytes > peak.load(ordering: .relaxed) { peak.store(bytes, ordering: .relaxed) }
    }

    /// Whether a flood is over, once for each: the allocator keeps what it held.
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

/// Memory that is charged for as long as this object lives.
final class MemoryCharge: Sendable {
    private let budget: MemoryBudget
    private let use: MemoryBudget.Use
    private let bytes: Int

    /// nil where there is no room.
    init?(_ bytes: Int, for use: MemoryBudget.Use, in budget: MemoryBudget) {
        guard budget.charge(bytes, for: use) else { return nil }
        self.budget = budget
        self.use = use
        self.bytes = bytes
    }

    deinit { budget.release(bytes, of: use) }
}
