internal import NetworkTypes
internal import SocketIO
internal import Synchronization

// Steps that wait for something.
extension DialogStream {
    private enum Search {
        case found(Range<Int>, groups: [Range<Int>?]?)
        /// There may be a match that more bytes would lengthen or undo.
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
    func expect(_ pattern: Pattern) async -> StepResult {
        await expect { end in search(pattern, end: end) }
    }

    /// Waits until these bytes have been received.
    func expect(_ bytes: ByteSearch) async -> StepResult {
        await expect { _ in search(bytes) }
    }

    private func expect(search: (BytesEnd) -> Search) async -> StepResult {
        inbox.beginStep()
        var isOpen = false
        while true {
            if inbox.hasNews || isOpen {
                let spentBefore = budget.remainingNanoseconds
                let result = advance(search, isOpen: &isOpen)
                if spentBefore - budget.remainingNanoseconds > DialogLimits.turnNanoseconds { await socket.yieldTurn() }
                if let result { return result }
            }
            if hasEnded { return StepResult(outcome: .closed) }
            let quiet = Clock.now().advanced(byMilliseconds: DialogLimits.quietMilliseconds)
            switch await receive(until: isOpen ? min(quiet, deadline) : deadline) {
            case .bytes, .endOfStream: continue
            case .deadline:
                if !isOpen { return StepResult(outcome: .mismatch(hasReceived: hasReceivedInStep)) }
            case .failed(let outcome): return StepResult(outcome: outcome)
            }
        }
    }

    /// Searches what was received.
    ///
    /// Not inlined: the frame of `expect` would contain its temporaries while it waits.
    /// - Returns: nil if the step must wait. `isOpen` then says whether a match may begin in what is there.
    @inline(never)
    private func advance(_ search: (BytesEnd) -> Search, isOpen: inout Bool) -> StepResult? {
        let end: BytesEnd = hasEnded || !inbox.hasNews ? .final : hasMessages ? .message : .unknown
        let found = search(end)
        let rejection = rejection(against: found, end: end)
        isOpen = found.isOpen || rejection.isOpen
        return result(of: found, or: rejection)
    }

    /// Looks for rejected patterns in the bytes that this search allows them to see.
    private func rejection(against found: Search, end: BytesEnd) -> Rejection {
        if rejects.isEmpty { return .none }
        switch found {
        case .found(let range, _): return searchRejects(upTo: range.upperBound, end: end)
        case .open, .absent, .exceeded: return searchRejects(end: end)
        }
    }

    /// What ends the step. A rejected match counts if it ends before the expected match, or together with it.
    /// - Returns: nil if there is neither yet.
    private func result(of found: Search, or rejection: Rejection) -> StepResult? {
        switch (found, rejection) {
        case (.exceeded(let detail), _), (_, .exceeded(let detail)):
            let outcome = budget.isShortOfMemory ? DialogOutcome.failed(.outOfMemory) : .mismatch(hasReceived: true)
            return StepResult(outcome: outcome, detail: detail)
        case (.found, .found(_, let step)):
            return StepResult(outcome: .rejected, rejectingStep: step)
        case (.found(let range, let groups), _):
            return StepResult(end: range.upperBound, groups: groups)
        // An incomplete match may end before the rejected one, so wait until it is complete.
        case (.open, .found(let end, _)) where end > inbox.start:
            return nil
        case (.open, .found(_, let step)), (.absent, .found(_, let step)):
            return StepResult(outcome: .rejected, rejectingStep: step)
        case (.open, .none), (.open, .open), (.absent, .none), (.absent, .open):
            return nil
        }
    }

    private func search(_ pattern: Pattern, end: BytesEnd) -> Search {
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

    private func search(_ bytes: ByteSearch) -> Search {
        if let end = bytes.end(in: inbox.bytes, from: inbox.start) {
            return .found(end - bytes.needle.count..<end, groups: nil)
        }
        inbox.skip(to: inbox.bytes.count - bytes.needle.count + 1)
        return .absent
    }
}

// Patterns that must not match while a step waits.
extension DialogStream {
    /// The result of a search for them.
    enum Rejection {
        case none
        /// There may be one that more bytes would undo.
        case open
        /// The end of the first one, and the step that rejects it.
        case found(end: Int, step: Int)
        case exceeded(String)

        var isOpen: Bool {
            switch self {
            case .open: true
            case .none, .found, .exceeded: false
            }
        }
    }

    /// Rejects a pattern until the next expectation is met.
    func addReject(_ pattern: Pattern, step: Int) {
        rejects.append((step: step, pattern: pattern))
        inbox.keepForRejects()
    }

    /// Looks for rejected patterns in everything that was received, if the step's own match is not there yet.
    func searchRejects(end: BytesEnd) -> Rejection {
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

    /// Looks for rejected patterns in the bytes up to the end of the match that a step waited for. Later bytes do not count:
    /// the result must not depend on how the stream is divided into packets.
    func searchRejects(upTo matchEnd: Int, end: BytesEnd) -> Rejection {
        var first: (range: Range<Int>, step: Int)?
        for (step, pattern) in rejects where inbox.rejectStart <= matchEnd {
            // The bytes after the match decide what `$` and a lookahead at its end mean.
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

    private func searchReject(_ pattern: Pattern, end: BytesEnd) -> MatchResult {
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

/// Matches of lines on threads of their own. The dialog may end before its match does.
///
/// They do not use Swift's shared pool, which has only as many threads as the machine has processors.
enum DetachedMatch {
    typealias Groups = [Range<Int>?]

    private static let underWay = Atomic<Int>(0)

    /// Begins a match, which delivers its groups, or nil without a match.
    /// - Returns: false while too many others run, or if the system allows no more threads.
    static func begin(_ pattern: LinePattern, _ line: [UInt8], deliveringTo handover: Handover<Groups?>) -> Bool {
        let count = underWay.add(1, ordering: .relaxed).newValue
        guard count <= DialogLimits.detachedMatches, start({ handover.deliver(pattern.match(line)) }) else {
            underWay.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    private static func start(_ match: @escaping @Sendable () -> Void) -> Bool {
        do throws(Errno) {
            try BackgroundThread.run {
                match()
                underWay.subtract(1, ordering: .relaxed)
            }
            return true
        } catch {
            return false
        }
    }
}
