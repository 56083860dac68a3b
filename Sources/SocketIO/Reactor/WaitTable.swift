internal import CheckModel

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
