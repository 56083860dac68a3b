internal import Synchronization

/// A value of the configuration that is in force. A reload replaces it as a whole; a request keeps the one that it took.
final class InForce<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    var current: Value { value.withLock { $0 } }

    func replace(with value: Value) {
        self.value.withLock { $0 = value }
    }
}
