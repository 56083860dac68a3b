internal import NetworkTypes

/// What a slot calls for each event, and with no event at its deadline; on the reactor's thread only.
typealias SlotHandler = (Readiness) -> Void

/// The slots of a reactor: registered descriptors and the waits for them. It makes no system calls.
///
/// No method calls a handler or releases the last reference to one: it returns what the caller must do.
struct SlotTable {
    /// What the caller must do for an event.
    enum Delivery {
        case noWaiter
        case resume(UnsafeContinuation<WaitOutcome, Never>)
        case call(SlotHandler, Readiness)
    }

    private struct Slot {
        var generation: UInt32 = 0
        var isTaken = false
        /// Events that no wait has reported yet.
        var ready: Readiness = []
        var interest: Readiness = []
        var continuation: UnsafeContinuation<WaitOutcome, Never>?
        /// The number of the latest wait; requests to end an earlier wait are ignored.
        var wait: UInt32 = 0
        var handler: SlotHandler?
    }

    /// Events that end every wait.
    private static let always: Readiness = [.error, .hangUp]

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    mutating func take(handler: SlotHandler? = nil) -> SlotToken {
        let index = free.popLast() ?? UInt32(slots.count)
        if index == slots.count { slots.append(Slot()) }
        slots[Int(index)].isTaken = true
        slots[Int(index)].handler = handler
        return SlotToken(index: index, generation: slots[Int(index)].generation)
    }

    /// - Returns: the slot's handler, which the caller must release: objects that it captured may call back in their
    /// deinit.
    mutating func release(_ token: SlotToken) -> SlotHandler? {
        guard isCurrent(token) else { return nil }
        precondition(slots[Int(token.index)].continuation == nil, "a slot was released while somebody waits for it")
        let handler = slots[Int(token.index)].handler.take()
        // After 2^32 uses of a slot, a token is repeated. No event or cancellation is pending for that long.
        slots[Int(token.index)] = Slot(generation: token.generation &+ 1)
        free.append(token.index)
        return handler
    }

    /// Removes and returns all waits and handlers; the slots stay in use.
    mutating func takeAll() -> (
        continuations: [UnsafeContinuation<WaitOutcome, Never>], handlers: [SlotHandler]
    ) {
        var continuations: [UnsafeContinuation<WaitOutcome, Never>] = []
        var handlers: [SlotHandler] = []
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

    /// Whether the slot is already ready for `interest`. Clears the readiness that it reports.
    mutating func consumeReadiness(of token: SlotToken, interest: Readiness) -> Bool {
        guard isCurrent(token) else { return false }
        let matching = slots[Int(token.index)].ready.intersection(interest.union(Self.always))
        slots[Int(token.index)].ready.subtract(matching)
        return !matching.isEmpty
    }

    /// - Returns: the number of the new wait, which can be used to end it.
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
        guard isCurrent(token) else { return .noWaiter }
        if let handler = slots[Int(token.index)].handler { return .call(handler, readiness) }
        slots[Int(token.index)].ready.formUnion(readiness)
        let wanted = slots[Int(token.index)].interest.union(Self.always)
        guard slots[Int(token.index)].continuation != nil, !readiness.isDisjoint(with: wanted) else { return .noWaiter }
        slots[Int(token.index)].ready.subtract(wanted)
        return slots[Int(token.index)].continuation.take().map(Delivery.resume) ?? .noWaiter
    }

    mutating func expire(_ index: UInt32) -> Delivery {
        if let handler = slots[Int(index)].handler { return .call(handler, []) }
        return slots[Int(index)].continuation.take().map(Delivery.resume) ?? .noWaiter
    }
}

/// The slots and timers of a reactor. It calls no handlers.
struct WaitTable {
    var slots = SlotTable()
    var timers = TimerHeap()
    /// Whether the loop has ended, so that no new wait may begin.
    private(set) var hasEnded = false

    /// The start of a wait.
    enum Start {
        case over(WaitOutcome)
        /// The wait has begun; its number can end it.
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

    /// Removes and returns the continuation of the wait with that number, for the caller to resume; nil if that wait
    /// has already ended.
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

    /// Returns what to do for the next expired timer; nil if there is none.
    mutating func expireNext(at now: UInt64) -> SlotTable.Delivery? {
        timers.popExpired(at: now).map { slots.expire($0) }
    }

    /// - Returns: the slot's handler, which the caller must release; nil for a token that was already released.
    mutating func release(_ token: SlotToken) -> SlotHandler? {
        guard slots.isCurrent(token) else { return nil }
        timers.cancel(token.index)
        return slots.release(token)
    }

    /// Removes and returns all waits and handlers; no wait can begin after that.
    mutating func end() -> (
        continuations: [UnsafeContinuation<WaitOutcome, Never>], handlers: [SlotHandler]
    ) {
        hasEnded = true
        timers = TimerHeap()
        return slots.takeAll()
    }
}
