import NetworkTypes
import SocketIO
import Synchronization

/// A counter that handlers increment.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .acquiring) }

    func add() {
        value.add(1, ordering: .releasing)
    }

    /// Waits until the counter has reached this value.
    func reaches(_ count: Int) async {
        while self.count < count { await Task.yield() }
    }
}

/// A value with one owner, by reference.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}

/// Lets the loop run a few turns. Each sleep ends in a turn of its own, after that turn's events.
func turns(of reactor: Reactor) async {
    for _ in 0..<3 { _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 1)) }
}
