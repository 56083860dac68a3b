import Dispatch
import Synchronization

/// Waits on the main thread for work that other threads do. It needs no descriptor: a reload must not fail for want of one.
enum Waiting {
    static func result<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
        let handover = Handover<Value>()
        Task { handover.put(await work()) }
        return handover.take()
    }
}

/// Hands one value from any thread to one that waits for it.
final class Handover<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func put(_ value: Value) {
        self.value.withLock { $0 = value }
        isThere.signal()
    }

    /// Waits for the value.
    func take() -> Value {
        while true {
            isThere.wait()
            if let value = value.withLock({ $0 }) { return value }
        }
    }
}
