internal import Glibc
internal import Synchronization

/// A match of a line on a thread of its own. A conversation may leave before it is done.
///
/// Not on Swift's shared pool: it has as few threads as the machine has processors, and other work of the process waits there.
final class DetachedMatch: Sendable {
    private static let underWay = Atomic<Int>(0)

    private let pattern: LinePattern
    private let line: [UInt8]
    private let outcome = Mutex<[Range<Int>?]??>(nil)

    private init(_ pattern: LinePattern, _ line: [UInt8]) {
        self.pattern = pattern
        self.line = line
    }

    /// nil until the match is done; then the groups, or nil without a match.
    var result: [Range<Int>?]?? { outcome.withLock { $0 } }

    /// Begins a match.
    /// - Returns: nil while too many others are under way, or the system allows no more threads.
    static func begin(_ pattern: LinePattern, _ line: [UInt8]) -> DetachedMatch? {
        let count = underWay.add(1, ordering: .relaxed).newValue
        let match = DetachedMatch(pattern, line)
        guard count <= DialogLimits.detachedMatches, match.startThread() else {
            underWay.subtract(1, ordering: .relaxed)
            return nil
        }
        return match
    }

    private func startThread() -> Bool {
        var handle = pthread_t()
        // The thread takes the reference over.
        let argument = Unmanaged.passRetained(self)
        guard pthread_create(&handle, nil, runDetachedMatch, argument.toOpaque()) == 0 else {
            argument.release()
            return false
        }
        pthread_detach(handle)
        return true
    }

    fileprivate func run() {
        let groups = pattern.match(line)
        outcome.withLock { $0 = .some(groups) }
        Self.underWay.subtract(1, ordering: .relaxed)
    }
}

private func runDetachedMatch(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<DetachedMatch>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
