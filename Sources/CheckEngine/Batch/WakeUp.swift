import Synchronization

/// Wakes one task that waits. A call before the wait is not lost.
final class WakeUp: Sendable {
    private struct State {
        var isFired = false
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func fire() {
        let waiter = state.withLock { state in
            let waiter = state.waiter.take()
            if waiter == nil { state.isFired = true }
            return waiter
        }
        waiter?.resume()
    }

    /// SAFETY of the unsafe continuation: it is resumed once, by the caller that takes it out of the state under the lock.
    func wait() async {
        await withUnsafeContinuation { continuation in
            let isFired = state.withLock { state in
                if !state.isFired { state.waiter = continuation }
                return state.isFired.exchange(with: false)
            }
            if isFired { continuation.resume() }
        }
    }
}

extension Bool {
    fileprivate mutating func exchange(with value: Bool) -> Bool {
        defer { self = value }
        return self
    }
}
