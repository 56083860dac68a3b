internal import CheckModel
internal import SocketIO

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
