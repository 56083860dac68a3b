internal import CheckModel
internal import SocketIO

// Steps that wait for something.
extension Line {
    private enum Search {
        case found(end: Int, groups: [Range<Int>?]?)
        /// A match may be there that more bytes would lengthen or undo.
        case open
        case absent
        case exceeded(String)
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
                let found = search(&self, end)
                if budget.latestNanoseconds > DialogLimits.turnNanoseconds { await yieldTurn() }
                switch found {
                case .found(let end, let groups): return StepResult(end: end, groups: groups)
                case .exceeded(let detail): return StepResult(ending: .mismatch(heard: heard), detail: detail)
                case .open: isOpen = true
                case .absent: isOpen = false
                }
            }
            if hasEnded { return StepResult(ending: .closed) }
            let quiet = Clock.now().advanced(byMilliseconds: DialogLimits.quietMilliseconds)
            switch await hear(on: socket, until: isOpen ? min(quiet, deadline) : deadline) {
            case .news, .ended: continue
            case .timeIsUp:
                if !isOpen { return StepResult(ending: .mismatch(heard: heard)) }
            case .cancelled: return StepResult(ending: .cancelled)
            case .failed(let error): return StepResult(ending: .failed(error))
            }
        }
    }

    private mutating func search(_ pattern: Pattern, end: BytesEnd) -> Search {
        switch pattern.match(inbox.bytes, from: inbox.start, end: end, budget: &budget) {
        case .found(let ranges):
            return .found(end: ranges[0]?.upperBound ?? inbox.bytes.count, groups: ranges)
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
        if let end = bytes.end(in: inbox.bytes, from: inbox.start) { return .found(end: end, groups: nil) }
        inbox.skip(to: inbox.bytes.count - bytes.needle.count + 1)
        return .absent
    }
}
