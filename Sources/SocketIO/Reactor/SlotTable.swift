import NetworkTypes

/// Who waits for what: the reactor's bookkeeping, without a system call in it.
///
/// No method calls out, or gives up the last reference to a handler: what is to be done is returned.
struct SlotTable {
    /// What has to be done about an event.
    enum Delivery {
        case nobody
        case resume(UnsafeContinuation<WaitOutcome, Never>)
        case call(@Sendable (Readiness) -> Void, Readiness)
    }

    private struct Slot {
        var generation: UInt32 = 0
        var isTaken = false
        /// Events that nobody has been told of.
        var ready: Readiness = []
        var interest: Readiness = []
        var continuation: UnsafeContinuation<WaitOutcome, Never>?
        /// The number of the latest wait: what wants to end an earlier one comes too late.
        var wait: UInt32 = 0
        var handler: (@Sendable (Readiness) -> Void)?
    }

    /// These end every wait, whatever it was for.
    private static let always: Readiness = [.error, .hangUp]

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    mutating func take(handler: (@Sendable (Readiness) -> Void)? = nil) -> SlotToken {
        let index = free.popLast() ?? UInt32(slots.count)
        if index == slots.count { slots.append(Slot()) }
        slots[Int(index)].isTaken = true
        slots[Int(index)].handler = handler
        return SlotToken(index: index, generation: slots[Int(index)].generation)
    }

    /// - Returns: the slot's handler, for the caller to give up: what it captured may call back when it goes.
    mutating func release(_ token: SlotToken) -> (@Sendable (Readiness) -> Void)? {
        guard isCurrent(token) else { return nil }
        precondition(slots[Int(token.index)].continuation == nil, "a slot was released while somebody waits for it")
        let handler = slots[Int(token.index)].handler.take()
        // After 2^32 uses of one slot a token comes again: no event or cancellation is under way for so long.
        slots[Int(token.index)] = Slot(generation: token.generation &+ 1)
        free.append(token.index)
        return handler
    }

    /// Everybody who waits, and all handlers; the slots stay taken.
    mutating func takeAll() -> (
        continuations: [UnsafeContinuation<WaitOutcome, Never>], handlers: [@Sendable (Readiness) -> Void]
    ) {
        var continuations: [UnsafeContinuation<WaitOutcome, Never>] = []
        var handlers: [@Sendable (Readiness) -> Void] = []
        for index in slots.indices {
            if let continuation = slots[index].continuation.take() { continuations.append(continuation) }
            if let handler = slots[index].handler.take() { handlers.append(handler) }
        }
        return (continuations, handlers)
    }

    func isCurrent(_ token: SlotToken) -> Bool {
        Int(token.index) < slots.count && slots[Int(token.index)].isTaken
            && slots[Int(token.index)].generation == token.generation
    }

    /// Whether the slot is ready for `interest` already; what it was ready for is forgotten by that.
    mutating func consumeReadiness(of token: SlotToken, interest: Readiness) -> Bool {
        guard isCurrent(token) else { return false }
        let matching = slots[Int(token.index)].ready.intersection(interest.union(Self.always))
        slots[Int(token.index)].ready.subtract(matching)
        return !matching.isEmpty
    }

    /// - Returns: the number of the wait that begins, by which it can be ended.
    mutating func beginWait(at token: SlotToken) -> UInt32 {
        precondition(isCurrent(token), "a wait on a slot that was released")
        slots[Int(token.index)].wait &+= 1
        return slots[Int(token.index)].wait
    }

    mutating func park(
        _ continuation: UnsafeContinuation<WaitOutcome, Never>, at token: SlotToken, interest: Readiness
    ) {
        precondition(isCurrent(token) && slots[Int(token.index)].continuation == nil, "one waiter a slot")
        slots[Int(token.index)].continuation = continuation
        slots[Int(token.index)].interest = interest
    }

    mutating func unpark(_ token: SlotToken, wait: UInt32) -> UnsafeContinuation<WaitOutcome, Never>? {
        guard isCurrent(token), slots[Int(token.index)].wait == wait else { return nil }
        return slots[Int(token.index)].continuation.take()
    }

    mutating func deliver(_ readiness: Readiness, to token: SlotToken) -> Delivery {
        guard isCurrent(token) else { return .nobody }
        if let handler = slots[Int(token.index)].handler { return .call(handler, readiness) }
        slots[Int(token.index)].ready.formUnion(readiness)
        let wanted = slots[Int(token.index)].interest.union(Self.always)
        guard slots[Int(token.index)].continuation != nil, !readiness.isDisjoint(with: wanted) else { return .nobody }
        slots[Int(token.index)].ready.subtract(wanted)
        return slots[Int(token.index)].continuation.take().map(Delivery.resume) ?? .nobody
    }

    mutating func expire(_ index: UInt32) -> Delivery {
        if let handler = slots[Int(index)].handler { return .call(handler, []) }
        return slots[Int(index)].continuation.take().map(Delivery.resume) ?? .nobody
    }
}

/// The slots and timers of a reactor: bookkeeping alone, which calls nobody.
struct WaitTable {
    var slots = SlotTable()
    var timers = TimerHeap()
    /// The loop has ended: nobody would end a wait any more.
    private(set) var hasEnded = false

    /// How a wait begins.
    enum Start {
        case over(WaitOutcome)
        /// Nothing has happened yet; by the number the wait can be ended.
        case waiting(number: UInt32)
    }

    mutating func begin(_ token: SlotToken, for interest: Readiness) -> Start {
        if slots.consumeReadiness(of: token, interest: interest) { return .over(.ready) }
        if hasEnded { return .over(.cancelled) }
        return .waiting(number: slots.beginWait(at: token))
    }

    mutating func park(
        _ continuation: UnsafeContinuation<WaitOutcome, Never>, at token: SlotToken, for interest: Readiness,
        until deadline: MonotonicTime
    ) {
        slots.park(continuation, at: token, interest: interest)
        if deadline != .distantFuture { timers.schedule(token.index, at: deadline.nanoseconds) }
    }

    /// Whoever waits by that number, who is to be resumed; nil where that wait has ended by itself.
    mutating func unpark(_ token: SlotToken, wait number: UInt32) -> UnsafeContinuation<WaitOutcome, Never>? {
        guard let continuation = slots.unpark(token, wait: number) else { return nil }
        timers.cancel(token.index)
        return continuation
    }

    mutating func deliver(_ readiness: Readiness, to token: SlotToken) -> SlotTable.Delivery {
        let delivery = slots.deliver(readiness, to: token)
        if case .resume = delivery { timers.cancel(token.index) }
        return delivery
    }

    /// What is to be done about the next timer whose time has come; nil where there is none.
    mutating func expireNext(at now: UInt64) -> SlotTable.Delivery? {
        timers.popExpired(at: now).map { slots.expire($0) }
    }

    /// - Returns: the slot's handler, for the caller to give up; nil for a token that was released before.
    mutating func release(_ token: SlotToken) -> (@Sendable (Readiness) -> Void)? {
        guard slots.isCurrent(token) else { return nil }
        timers.cancel(token.index)
        return slots.release(token)
    }

    /// Everybody who waits, and all handlers; no wait begins any more.
    mutating func end() -> (
        continuations: [UnsafeContinuation<WaitOutcome, Never>], handlers: [@Sendable (Readiness) -> Void]
    ) {
        hasEnded = true
        timers = TimerHeap()
        return slots.takeAll()
    }
}
