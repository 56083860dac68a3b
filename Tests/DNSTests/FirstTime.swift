import Synchronization

/// Remembers the values that it has been asked about.
final class FirstTime: Sendable {
    private let seen = Mutex<Set<String>>([])

    func isFirst(_ name: String) -> Bool {
        seen.withLock { $0.insert(name).inserted }
    }
}
