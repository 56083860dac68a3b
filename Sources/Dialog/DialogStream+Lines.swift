internal import NetworkTypes
internal import SocketIO

// Steps that consume the stream line by line, or a number of bytes at once.
extension DialogStream {
    private enum Portion {
        case line(Range<Int>, end: Int)
        case none
    }

    /// Waits for a line that the pattern matches. The bytes before the end of the stream, or of a message, are a line too,
    /// unless there are none.
    func expectLine(_ pattern: LinePattern) async -> StepResult {
        // An incomplete line may be followed by what one receive returns.
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
                    await socket.yieldTurn()
                }
                let text = Array(inbox.bytes[range])
                let match: LineMatch =
                    steps <= DialogLimits.inlineMatchSteps
                    ? LineMatch(pattern.match(text)) : await matchElsewhere(pattern, text)
                switch match {
                case .found(let groups):
                    return StepResult(end: end, groups: groups.map { $0.map { $0.shifted(by: range.lowerBound) } })
                case .absent: inbox.skip(to: end)
                case .failed(let outcome): return StepResult(outcome: outcome)
                }
            }
            if hasEnded { return StepResult(outcome: .closed) }
            if inbox.unmatchedCount >= DialogLimits.unmatchedBytes { return lineTooLong }
            if let outcome = await receiveMore() { return StepResult(outcome: outcome) }
        }
    }

    private var lineTooLong: StepResult {
        StepResult(
            outcome: .mismatch(hasReceived: true),
            detail: "the peer's line has more than \(DialogLimits.unmatchedBytes) bytes")
    }

    private enum LineMatch {
        case found([Range<Int>?])
        case absent
        /// Nothing is known: it timed out, or the check is cancelled.
        case failed(DialogOutcome)

        init(_ groups: [Range<Int>?]?) {
            self = groups.map { .found($0) } ?? .absent
        }
    }

    /// Matches on another thread: it would keep the worker for too long. The deadline applies meanwhile.
    private func matchElsewhere(_ pattern: LinePattern, _ text: [UInt8]) async -> LineMatch {
        let handover = Handover<DetachedMatch.Groups?>()
        while !DetachedMatch.begin(pattern, text, deliveringTo: handover) {
            if Task.isCancelled { return .failed(.cancelled) }
            if Clock.now() >= deadline { return .failed(.proberBusy) }
            let next = Clock.now().advanced(byMilliseconds: DialogLimits.detachedMatchRetryMilliseconds)
            _ = await socket.reactor.sleep(until: min(next, deadline))
        }
        switch await handover.wait(on: socket.reactor, until: deadline) {
        case .delivered(let groups): return LineMatch(groups)
        case .deadline: return .failed(.mismatch(hasReceived: hasReceivedInStep))
        case .cancelled: return .failed(.cancelled)
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

    /// Waits until exactly these bytes have been received, or other ones.
    func expectExactly(_ bytes: [UInt8]) async -> StepResult {
        inbox.beginStep()
        while true {
            let next = inbox.bytes[inbox.start...].prefix(bytes.count)
            guard bytes.starts(with: next) else {
                return StepResult(outcome: .mismatch(hasReceived: true), detail: Self.otherBytes)
            }
            if next.count == bytes.count { return StepResult(end: next.endIndex) }
            if hasEnded { return StepResult(outcome: .closed) }
            if let outcome = await receiveMore() { return StepResult(outcome: outcome) }
        }
    }

    static let otherBytes = "the peer sent other bytes"

    /// - Returns: nil if something was received, or the stream has ended.
    private func receiveMore() async -> DialogOutcome? {
        switch await receive(until: deadline) {
        case .bytes, .endOfStream: nil
        case .deadline: .mismatch(hasReceived: hasReceivedInStep)
        case .failed(let outcome): outcome
        }
    }
}

extension Range<Int> {
    fileprivate func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
