import DequeModule
import Synchronization

/// Limits the checks whose results have not been printed yet: a slow reader of the output delays the start of checks.
final class StartGate: Sendable {
    private struct State {
        var free: Int
        var isClosed = false
        var waiters: Deque<UnsafeContinuation<Bool, Never>> = []
    }

    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameter capacity: The maximum number of checks between `enter` and `leave`, at least 1.
    init(capacity: Int) {
        self.capacity = capacity
        state = Mutex(State(free: capacity))
    }

    /// Waits until a check may start. It ends after `close`, but not when the task is cancelled.
    ///
    /// SAFETY of the unsafe continuation: it is resumed once, by the caller that takes it out of the waiters under the lock.
    /// - Returns: Whether the check may start; false after `close`.
    func enter() async -> Bool {
        if let answer = tryEnter() { return answer }
        return await withUnsafeContinuation { continuation in
            let answer = state.withLock { state in
                let answer = Self.admit(&state)
                if answer == nil { state.waiters.append(continuation) }
                return answer
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Notes that a result was printed.
    func leave() {
        resume { state in
            state.free = min(state.free + 1, capacity)
            // In groups: waking the worker for each single check would be slow.
            return state.free > capacity / 2 || state.free == capacity ? state.free : 0
        }
    }

    /// Lets no check start from now on.
    func close() {
        resume { state in
            state.isClosed = true
            return .max
        }
    }

    private func tryEnter() -> Bool? { state.withLock { Self.admit(&$0) } }

    /// nil if the check has to wait.
    private static func admit(_ state: inout State) -> Bool? {
        if state.isClosed { return false }
        guard state.free > 0, state.waiters.isEmpty else { return nil }
        state.free -= 1
        return true
    }

    /// - Parameter change: Returns how many waiters may pass.
    private func resume(_ change: (inout State) -> Int) {
        let (passing, isClosed) = state.withLock { state in
            let count = min(change(&state), state.waiters.count)
            let passing = Array(state.waiters.prefix(count))
            state.waiters.removeFirst(count)
            if !state.isClosed { state.free -= count }
            return (passing, state.isClosed)
        }
        for waiter in passing { waiter.resume(returning: !isClosed) }
    }
}
