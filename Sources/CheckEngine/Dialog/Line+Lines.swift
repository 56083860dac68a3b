internal import NetworkTypes
internal import SocketIO

// Steps that take the stream in portions: line by line, or so many bytes.
extension Line {
    private enum Portion {
        case line(Range<Int>, end: Int)
        case none
    }

    /// Waits for a line that the pattern matches. What stands before the end of the stream, or of a message, is a line
    /// too, if there is anything.
    mutating func expectLine(_ pattern: LinePattern, on socket: borrowing Socket) async -> StepResult {
        // What one receive brings comes on top of a line that is not complete yet.
        inbox.capacity =
            DialogLimits.unmatchedBytes + max(DialogLimits.messageReceiveBytes, DialogLimits.streamReceiveBytes)
        defer { inbox.capacity = DialogLimits.unmatchedBytes }
        inbox.beginStep()
        var stepsOfTurn = 0
        while true {
            while case .line(let range, let end) = nextLine() {
                guard end - range.lowerBound <= DialogLimits.unmatchedBytes else { return lineTooLong }
                let steps = pattern.programSize * (range.count + 16)
                stepsOfTurn += min(steps, DialogLimits.inlineMatchSteps)
                if stepsOfTurn > DialogLimits.inlineMatchSteps {
                    stepsOfTurn = 0
                    await yieldTurn()
                }
                let text = Array(inbox.bytes[range])
                let match: LineMatch =
                    steps <= DialogLimits.inlineMatchSteps
                    ? LineMatch(pattern.match(text)) : await matchElsewhere(pattern, text)
                switch match {
                case .found(let groups):
                    return StepResult(end: end, groups: groups.map { $0.map { $0.shifted(by: range.lowerBound) } })
                case .absent: inbox.skip(to: end)
                case .over(let ending): return StepResult(ending: ending)
                }
            }
            if hasEnded { return StepResult(ending: .closed) }
            if inbox.unmatchedCount >= DialogLimits.unmatchedBytes { return lineTooLong }
            if let ending = await hearMore(on: socket) { return StepResult(ending: ending) }
        }
    }

    private var lineTooLong: StepResult {
        StepResult(
            ending: .mismatch(heard: true),
            detail: "the peer's line has more than \(DialogLimits.unmatchedBytes) bytes")
    }

    private enum LineMatch {
        case found([Range<Int>?])
        case absent
        /// Nothing is known: the time is up, or the check is cancelled.
        case over(DialogEnding)

        init(_ groups: [Range<Int>?]?) {
            self = groups.map { .found($0) } ?? .absent
        }
    }

    /// Matches on another thread: a worker must not be kept so long, and the deadline holds meanwhile.
    private func matchElsewhere(_ pattern: LinePattern, _ text: [UInt8]) async -> LineMatch {
        let handover = Handover<DetachedMatch.Groups?>()
        while !DetachedMatch.begin(pattern, text, deliveringTo: handover) {
            if Task.isCancelled { return .over(.cancelled) }
            if Clock.now() >= deadline { return .over(.proberBusy) }
            let next = Clock.now().advanced(byMilliseconds: DialogLimits.detachedMatchRetryMilliseconds)
            _ = await reactor.sleep(until: min(next, deadline))
        }
        switch await handover.wait(on: reactor, until: deadline) {
        case .delivered(let groups): return LineMatch(groups)
        case .deadline: return .over(.mismatch(heard: hasHeardInStep))
        case .cancelled: return .over(.cancelled)
        }
    }

    private func nextLine() -> Portion {
        let rest = inbox.bytes[inbox.start...]
        if let feed = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let hasReturn = feed > rest.startIndex && rest[feed - 1] == UInt8(ascii: "\r")
            return .line(rest.startIndex..<(hasReturn ? feed - 1 : feed), end: feed + 1)
        }
        guard hasEnded || hasMessages, !rest.isEmpty else { return .none }
        let isReturn = rest.last == UInt8(ascii: "\r")
        return .line(rest.startIndex..<(isReturn ? rest.endIndex - 1 : rest.endIndex), end: rest.endIndex)
    }

    /// Waits until so many bytes have come, or one that is none of these.
    mutating func expectExactly(_ bytes: [UInt8], on socket: borrowing Socket) async -> StepResult {
        inbox.beginStep()
        while true {
            let next = inbox.bytes[inbox.start...].prefix(bytes.count)
            guard bytes.starts(with: next) else {
                return StepResult(ending: .mismatch(heard: true), detail: Self.otherBytes)
            }
            if next.count == bytes.count { return StepResult(end: next.endIndex) }
            if hasEnded { return StepResult(ending: .closed) }
            if let ending = await hearMore(on: socket) { return StepResult(ending: ending) }
        }
    }

    static let otherBytes = "the peer sent other bytes"

    /// - Returns: nil where something came, or the end.
    private mutating func hearMore(on socket: borrowing Socket) async -> DialogEnding? {
        switch await hear(on: socket, until: deadline) {
        case .news, .ended: nil
        case .timeIsUp: .mismatch(heard: hasHeardInStep)
        case .over(let ending): ending
        }
    }
}

extension Range<Int> {
    fileprivate func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
