internal import CLinux
public import NetworkTypes

// For code that runs on the reactor's thread already, in whatever actor: without the way into this one, whose bookkeeping
// costs more than what is done inside. Elsewhere each of these traps.
extension Reactor {
    /// Registers a descriptor, edge-triggered, for as long as it is open; on the reactor's thread.
    ///
    /// The descriptor stays the caller's; `removeOnThread` has to be called before it is closed.
    /// - Throws: ENOMEM or ENOSPC, where the kernel's limit of watches is reached.
    public nonisolated func addOnThread(
        _ descriptor: Int32, for interest: Readiness
    ) throws(Errno) -> SlotToken {
        let token = waits.with { $0.slots.take() }
        try control(EPOLL_CTL_ADD, descriptor, interest.rawValue | connectd_epoll_edge, token)
        return token
    }

    /// Forgets a descriptor that is about to be closed, which takes it out of the epoll set. Nobody may wait for it.
    /// Nothing happens for a token that was removed before, whoever may have its place now. On the reactor's thread.
    public nonisolated func removeOnThread(_ token: SlotToken) {
        let handler = waits.with { $0.release(token) }
        // The last reference to what a handler captured may be given up here: then its `deinit` runs, and may call back.
        _ = consume handler
    }

    /// Waits until the descriptor is ready, or the deadline has come, or the task is cancelled; from a task that prefers the
    /// reactor's thread.
    ///
    /// Errors and hang-ups end every wait as `ready`. Readiness that a wait has reported is forgotten: use the
    /// descriptor until it says EAGAIN before you wait again. A reactor that has ended answers `cancelled`.
    /// - Parameter isolation: the caller's own. By a parameter, since a closure can keep only what it can name: outside of the
    ///   caller's actor, it would be enqueued once more on the way in.
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

    /// Something to wait for that is not a descriptor; `removeOnThread` ends it. On the reactor's thread.
    public nonisolated func makeSignalOnThread() -> SlotToken {
        waits.with { $0.slots.take() }
    }

    /// Ends the wait for a signal as `ready`, or the next one that begins. On the reactor's thread.
    public nonisolated func signalOnThread(_ signal: SlotToken) {
        switch waits.with({ $0.deliver(.readable, to: signal) }) {
        case .nobody: break
        case .resume(let continuation): continuation.resume(returning: .ready)
        case .call(let handler, let readiness): handler(readiness)
        }
    }
}
