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
            switch search(pattern, end: end) {
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
            var result = search(pattern, end: end)
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

    private mutating func search(_ pattern: Pattern, end: BytesEnd) -> MatchResult {
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
