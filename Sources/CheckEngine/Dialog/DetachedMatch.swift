internal import Synchronization

/// A match of a line on a thread of Swift's shared pool. A conversation may leave before it is done.
final class DetachedMatch: Sendable {
    private static let underWay = Atomic<Int>(0)

    private let outcome = Mutex<[Range<Int>?]??>(nil)

    /// nil until the match is done; then the groups, or nil without a match.
    var result: [Range<Int>?]?? { outcome.withLock { $0 } }

    /// Begins a match.
    /// - Returns: nil while too many others are under way.
    static func begin(_ pattern: LinePattern, _ line: [UInt8]) -> DetachedMatch? {
        guard underWay.add(1, ordering: .relaxed).newValue <= DialogLimits.detachedMatches else {
            underWay.subtract(1, ordering: .relaxed)
            return nil
        }
        let match = DetachedMatch()
        Task.detached {
            let groups = pattern.match(line)
            match.outcome.withLock { $0 = .some(groups) }
            underWay.subtract(1, ordering: .relaxed)
        }
        return match
    }
}
