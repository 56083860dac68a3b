import DequeModule
import Synchronization

/// Limits the checks whose results have not been printed yet: a slow reader of the output delays the start of checks.
final class StartGate: Sendable {
    private struct State {
        var free: Int
        var isOpen = false
        var waiters: Deque<UnsafeContinuation<Void, Never>> = []
    }

    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameter capacity: The maximum number of checks between `enter` and `leave`, at least 1.
    init(capacity: Int) {
        self.capacity = capacity
        state = Mutex(State(free: capacity))
    }

    /// Waits until a check may start. It ends after `open`, but not when the task is cancelled.
    ///
    /// SAFETY of the unsafe continuation: it is resumed once, by the caller that takes it out of the waiters under the lock.
    func enter() async {
        if tryEnter() { return }
        await withUnsafeContinuation { continuation in
            let isEntered = state.withLock { state in
                if Self.admit(&state) { return true }
                state.waiters.append(continuation)
                return false
            }
            if isEntered { continuation.resume() }
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

    /// Lets all checks pass from now on.
    func open() {
        resume { state in
            state.isOpen = true
            return .max
        }
    }

    private func tryEnter() -> Bool { state.withLock { Self.admit(&$0) } }

    private static func admit(_ state: inout State) -> Bool {
        if state.isOpen { return true }
        guard state.free > 0, state.waiters.isEmpty else { return false }
        state.free -= 1
        return true
    }

    /// - Parameter change: Returns how many waiters may pass.
    private func resume(_ change: (inout State) -> Int) {
        let passing = state.withLock { state in
            let count = min(change(&state), state.waiters.count)
            let passing = Array(state.waiters.prefix(count))
            state.waiters.removeFirst(count)
            if !state.isOpen { state.free -= count }
            return passing
        }
        for waiter in passing { waiter.resume() }
    }
}
