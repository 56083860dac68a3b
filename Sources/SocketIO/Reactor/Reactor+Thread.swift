internal import CLinux
public import NetworkTypes

// For code that already runs on the reactor's thread, in any actor. These functions avoid entering this actor, which
// costs more than the work inside; on another thread each of them traps.
extension Reactor {
    /// Registers a descriptor, edge-triggered, for as long as it is open; on the reactor's thread.
    ///
    /// The caller still owns the descriptor, and must call `removeOnThread` before it closes it.
    /// - Throws: ENOMEM, or ENOSPC at the kernel's limit of watches.
    public nonisolated func addOnThread(
        _ descriptor: Int32, for interest: Readiness
    ) throws(Errno) -> SlotToken {
        let token = waits.with { $0.slots.take() }
        try control(EPOLL_CTL_ADD, descriptor, interest.rawValue | connectd_epoll_edge, token)
        return token
    }

    /// Registers a descriptor as `addOnThread` does, and calls `handler` instead of ending a wait. No task is needed.
    /// - Parameters:
    ///   - deadline: when `handler` is called without an event, unless `removeOnThread` was called before.
    ///   - handler: is called on the reactor's thread for each event.
    public nonisolated func watchOnThread(
        _ descriptor: Int32, for interest: Readiness, until deadline: MonotonicTime,
        handler: @escaping (Readiness) -> Void
    ) throws(Errno) -> SlotToken {
        let token = waits.with { waits in
            let token = waits.slots.take(handler: handler)
            waits.timers.schedule(token.index, at: deadline.nanoseconds)
            return token
        }
        try control(EPOLL_CTL_ADD, descriptor, interest.rawValue | connectd_epoll_edge, token)
        return token
    }

    /// Removes the registration of a descriptor that is about to be closed; closing removes it from the epoll set. No
    /// task may wait for it. Does nothing for a token that was already removed, even if its slot is in use again. Call
    /// it on the reactor's thread.
    public nonisolated func removeOnThread(_ token: SlotToken) {
        let handler = waits.with { $0.release(token) }
        // This may release the last reference to a value that a handler captured: its `deinit` runs, and may call back.
        _ = consume handler
    }

    /// Waits until the descriptor is ready, the deadline passes, or the task is cancelled. Call it from a task that
    /// prefers the reactor's thread.
    ///
    /// Errors and hang-ups end every wait as `ready`. Readiness that a wait has reported is cleared: use the descriptor
    /// until EAGAIN before the next wait. A stopped reactor returns `cancelled`.
    /// - Parameter isolation: the caller's isolation. It is a parameter so that the closure below runs in it. Outside
    /// of the caller's actor, the closure would cost another enqueue.
    public func waitOnThread(
        _ token: SlotToken, for interest: Readiness, until deadline: MonotonicTime,
        isolation: isolated (any Actor)? = #isolation
    ) async -> WaitOutcome {
        let number: UInt32
        switch waits.with({ $0.begin(token, for: interest) }) {
        case .over(let outcome): return outcome
        case .waiting(let waiting): number = waiting
        }
        if Task.isCancelled { return .cancelled }
        return await withTaskCancellationHandler {
            _ = isolation
            return await withUnsafeContinuation { continuation in
                waits.with { $0.park(continuation, at: token, for: interest, until: deadline) }
            }
        } onCancel: {
            cancelLater(token, wait: number)
        }
    }

    /// Makes a signal, which a task can wait for as for a descriptor; `removeOnThread` ends it. Call it on the
    /// reactor's thread.
    public nonisolated func makeSignalOnThread() -> SlotToken {
        waits.with { $0.slots.take() }
    }

    /// Ends the current or the next wait for a signal as `ready`. Call it on the reactor's thread.
    public nonisolated func signalOnThread(_ signal: SlotToken) {
        switch waits.with({ $0.deliver(.readable, to: signal) }) {
        case .noWaiter: break
        case .resume(let continuation): continuation.resume(returning: .ready)
        case .call(let handler, let readiness): handler(readiness)
        }
    }
}
