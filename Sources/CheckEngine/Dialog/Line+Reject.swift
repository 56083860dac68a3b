// Patterns that must not match while a step waits.
extension Line {
    /// What came of looking for them.
    enum Rejection {
        case none
        /// One may be there that more bytes would undo.
        case open
        /// Where the first of them begins, and the step that rejects it.
        case found(start: Int, step: Int)
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

    mutating func searchRejects(end: BytesEnd) -> Rejection {
        var first: (start: Int, step: Int)?
        var open: Int?
        for (step, pattern) in rejects {
            switch pattern.match(inbox.bytes, from: inbox.rejectStart, end: end, budget: &budget) {
            case .found(let ranges):
                let start = ranges[0]?.lowerBound ?? inbox.bytes.count
                if start < first?.start ?? .max { first = (start, step) }
            case .open(let start):
                open = min(open ?? .max, start)
            case .absent:
                break
            case .exceeded(let detail):
                return .exceeded("the reject of step \(step) \(detail)")
            }
        }
        if let first { return .found(start: first.start, step: first.step) }
        // What the end alone prevented can still match when more comes.
        if end != .final { inbox.skipRejects(to: open ?? inbox.bytes.count) }
        return open == nil || end != .unknown ? .none : .open
    }
}
