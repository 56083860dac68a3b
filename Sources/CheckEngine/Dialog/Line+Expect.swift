import Glibc
internal import NetworkTypes
import SocketIO
import Synchronization

// Steps that wait for something.
extension Line {
    private enum Search {
        case found(Range<Int>, groups: [Range<Int>?]?)
        /// A match may be there that more bytes would lengthen or undo.
        case open
        case absent
        case exceeded(String)

        var isOpen: Bool {
            switch self {
            case .open: true
            case .found, .absent, .exceeded: false
            }
        }
    }

    /// Waits until the pattern matches.
    mutating func expect(_ pattern: Pattern, on socket: borrowing Socket) async -> StepResult {
        await expect(on: socket) { line, end in line.search(pattern, end: end) }
    }

    /// Waits until these bytes have come.
    mutating func expect(_ bytes: ByteSearch, on socket: borrowing Socket) async -> StepResult {
        await expect(on: socket) { line, _ in line.search(bytes) }
    }

    private mutating func expect(
        on socket: borrowing Socket, search: (inout Line, BytesEnd) -> Search
    ) async -> StepResult {
        inbox.beginStep()
        var isOpen = false
        while true {
            if inbox.hasNews || isOpen {
                let end: BytesEnd = hasEnded || !inbox.hasNews ? .final : hasMessages ? .message : .unknown
                let budgetBefore = budget.remainingNanoseconds
                let found = search(&self, end)
                let rejection = rejection(against: found, end: end)
                if budgetBefore - budget.remainingNanoseconds > DialogLimits.turnNanoseconds { await yieldTurn() }
                if let result = result(of: found, or: rejection) { return result }
                isOpen = found.isOpen || rejection.isOpen
            }
            if hasEnded { return StepResult(ending: .closed) }
            let quiet = Clock.now().advanced(byMilliseconds: DialogLimits.quietMilliseconds)
            switch await hear(on: socket, until: isOpen ? min(quiet, deadline) : deadline) {
            case .news, .ended: continue
            case .timeIsUp:
                if !isOpen { return StepResult(ending: .mismatch(heard: hasHeardInStep)) }
            case .over(let ending): return StepResult(ending: ending)
            }
        }
    }

    /// What is rejected, as far as this search shows what the rejecting patterns may see.
    private mutating func rejection(against found: Search, end: BytesEnd) -> Rejection {
        if rejects.isEmpty { return .none }
        switch found {
        case .found(let range, _): return searchRejects(upTo: range.upperBound, end: end)
        case .open, .absent, .exceeded: return searchRejects(end: end)
        }
    }

    /// What ends the step. A rejection counts that ends before the match does, or together with it.
    /// - Returns: nil where neither is there yet.
    private func result(of found: Search, or rejection: Rejection) -> StepResult? {
        switch (found, rejection) {
        case (.exceeded(let detail), _), (_, .exceeded(let detail)):
            return StepResult(ending: .mismatch(heard: true), detail: detail)
        case (.found, .found(_, let step)):
            return StepResult(ending: .rejected, rejectingStep: step)
        case (.found(let range, let groups), _):
            return StepResult(end: range.upperBound, groups: groups)
        // What may still become a match may end before what is rejected: it has to be known first.
        case (.open, .found(let end, _)) where end > inbox.start:
            return nil
        case (.open, .found(_, let step)), (.absent, .found(_, let step)):
            return StepResult(ending: .rejected, rejectingStep: step)
        case (.open, .none), (.open, .open), (.absent, .none), (.absent, .open):
            return nil
        }
    }

    private mutating func search(_ pattern: Pattern, end: BytesEnd) -> Search {
        let result = pattern.match(
            inbox.bytes, from: inbox.start, lastMatchEnd: inbox.lastMatchEnd, end: end, budget: &budget)
        switch result {
        case .found(let ranges):
            return .found(ranges[0] ?? inbox.bytes.count..<inbox.bytes.count, groups: ranges)
        case .open(let start):
            inbox.skip(to: start)
            // At the end of a message nothing that is complete was left out.
            return end == .unknown ? .open : .absent
        case .absent:
            // What the end alone prevented can still match when more comes.
            inbox.skip(to: end == .final ? 0 : inbox.bytes.count)
            return .absent
        case .exceeded(let detail):
            return .exceeded(detail)
        }
    }

    private mutating func search(_ bytes: ByteSearch) -> Search {
        if let end = bytes.end(in: inbox.bytes, from: inbox.start) {
            return .found(end - bytes.needle.count..<end, groups: nil)
        }
        inbox.skip(to: inbox.bytes.count - bytes.needle.count + 1)
        return .absent
    }
}

// Patterns that must not match while a step waits.
extension Line {
    /// What came of looking for them.
    enum Rejection {
        case none
        /// One may be there that more bytes would undo.
        case open
        /// Where the first of them ends, and the step that rejects it.
        case found(end: Int, step: Int)
        case exceeded(String)

        var isOpen: Bool {
            switch self {
            case .open: true
            case .none, .found, .exceeded: false
            }
        }
    }

    /// From here on this pattern must not match, until the next expectation is met.
    mutating func arm(_ pattern: Pattern, step: Int) {
        rejects.append((step: step, pattern: pattern))
        inbox.keepForRejects()
    }

    mutating func disarm() {
        rejects = []
    }

    /// Looks for what is rejected in everything that came, while the step's own match is not there yet.
    mutating func searchRejects(end: BytesEnd) -> Rejection {
        var first: (range: Range<Int>, step: Int)?
        var open: Int?
        for (step, pattern) in rejects {
            switch searchReject(pattern, end: end) {
            case .found(let ranges):
                let range = ranges[0] ?? inbox.bytes.count..<inbox.bytes.count
                if range.lowerBound < first?.range.lowerBound ?? .max { first = (range, step) }
            case .open(let start):
                open = min(open ?? .max, start)
            case .absent:
                break
            case .exceeded(let detail):
                return .exceeded(Self.detail(of: step, detail))
            }
        }
        if let first { return .found(end: first.range.upperBound, step: first.step) }
        // What the end alone prevented can still match when more comes.
        if end != .final { inbox.skipRejects(to: open ?? inbox.bytes.count) }
        return open == nil || end != .unknown ? .none : .open
    }

    /// Looks for what is rejected in the bytes up to the end of the match that a step waited for. What comes after them is
    /// not part of what was waited for: how the stream is cut into packets must not decide.
    mutating func searchRejects(upTo matchEnd: Int, end: BytesEnd) -> Rejection {
        var first: (range: Range<Int>, step: Int)?
        for (step, pattern) in rejects where inbox.rejectStart <= matchEnd {
            // What stands after the match decides what `$` and a lookahead at its end mean.
            var result = searchReject(pattern, end: end)
            if result.reaches(beyond: matchEnd) {
                result = pattern.match(
                    inbox.bytes, from: inbox.rejectStart, lastMatchEnd: inbox.lastMatchEnd, before: matchEnd,
                    budget: &budget)
            }
            switch result {
            case .found(let ranges):
                guard let range = ranges[0], range.upperBound <= matchEnd else { continue }
                if range.lowerBound < first?.range.lowerBound ?? .max { first = (range, step) }
            case .open, .absent:
                break
            case .exceeded(let detail):
                return .exceeded(Self.detail(of: step, detail))
            }
        }
        return first.map { .found(end: $0.range.upperBound, step: $0.step) } ?? .none
    }

    private mutating func searchReject(_ pattern: Pattern, end: BytesEnd) -> MatchResult {
        pattern.match(
            inbox.bytes, from: inbox.rejectStart, lastMatchEnd: inbox.lastMatchEnd, end: end, budget: &budget)
    }

    private static func detail(of step: Int, _ detail: String) -> String { "the reject of step \(step) \(detail)" }
}

extension MatchResult {
    /// Whether a match begins before `limit`, and does not end there, as far as is known.
    fileprivate func reaches(beyond limit: Int) -> Bool {
        switch self {
        case .found(let ranges): ranges[0].map { $0.lowerBound < limit && $0.upperBound > limit } ?? false
        case .open(let start): start < limit
        case .absent, .exceeded: false
        }
    }
}

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
    /// - Returns: nil if too many others are in progress, or the system allows no more threads.
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
