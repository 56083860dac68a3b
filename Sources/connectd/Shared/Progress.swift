import CLinux
import NetworkTypes
import SocketIO

/// What a run of checks has done so far, for a line of progress.
struct Progress {
    private let started: MonotonicTime
    private let concurrency: Int
    private let rate: Double
    private let timeoutMilliseconds: Int
    private let retryPauseMilliseconds: Int
    /// Checks that are repeated in the present round, and when it began; nil before the repetition.
    private var repetition: (round: Int, left: Int, total: Int)?
    /// Timeouts that wait for their repetition.
    private var deferred = 0

    /// - Parameter timeoutMilliseconds: the longest of any check.
    init(
        started: MonotonicTime, concurrency: Int, rate: Double, timeoutMilliseconds: Int, retryPauseMilliseconds: Int
    ) {
        self.started = started
        self.concurrency = concurrency
        self.rate = rate
        self.timeoutMilliseconds = timeoutMilliseconds
        self.retryPauseMilliseconds = retryPauseMilliseconds
    }

    mutating func deferOne() {
        deferred += 1
        repetition?.left -= 1
    }

    mutating func finishOne() {
        guard repetition != nil else { return }
        repetition?.left -= 1
        deferred -= 1
    }

    mutating func beginRepetition(round: Int, count: Int) {
        deferred = count
        repetition = (round, count, count)
    }

    /// `12/500 done, 40/s, 9 connected, 3 refused, 8 s left`.
    func text(_ tally: CheckTally, at now: MonotonicTime) -> String {
        let elapsed = max(now.since(started), 1)
        var parts = ["\(tally.finished)/\(tally.total) done"]
        if tally.finished > 0 {
            let perSecond = Double(tally.finished) * 1_000_000_000 / Double(elapsed)
            parts.append(perSecond >= 10 ? "\(Int(perSecond))/s" : "\(Double(Int(perSecond * 10)) / 10)/s")
            parts.append(tally.byOutcome)
        }
        if let repetition {
            let done = repetition.total - max(repetition.left, 0)
            let pause = "\(Double(retryPauseMilliseconds) / 1000) s"
            parts.append("repeating timeouts: \(done) of \(repetition.total), one per \(pause)")
        } else if deferred > 0 {
            parts.append("\(deferred) \(deferred == 1 ? "timeout" : "timeouts") to repeat")
        }
        if let left = secondsLeft(tally, elapsed) { parts.append("\(TimeText.whole(seconds: left)) left") }
        return parts.joined(separator: ", ")
    }

    private func secondsLeft(_ tally: CheckTally, _ elapsed: Int64) -> Int64? {
        if let repetition {
            return Int64(max(repetition.left, 0)) * Int64(retryPauseMilliseconds) / 1000 + 1
        }
        let left = tally.total - tally.finished - deferred
        guard left > 0 else { return nil }
        let done = tally.finished + deferred
        // No check takes longer than its timeout: that bounds what is left.
        let rounds = (left + concurrency - 1) / concurrency
        var bound = Int64(rounds) * Int64(timeoutMilliseconds) * 1_000_000
        if tally.total <= concurrency { bound = max(bound - elapsed, 0) }
        if rate > 0 { bound += Int64(Double(left) / rate * 1_000_000_000) }
        let estimate = done >= 10 ? elapsed / Int64(done) * Int64(left) : bound
        return min(bound, estimate) / 1_000_000_000 + 1
    }
}

/// The last line of a terminal, which is written over again and again, on standard error.
struct StatusLine {
    private let isTerminal: Bool
    private var isShown = false

    /// - Parameter environment: a terminal that is `dumb` cannot take a line back.
    init(environment: [String: String]) {
        isTerminal = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
    }

    /// Whether anything is ever shown.
    var isUsable: Bool { isTerminal }

    mutating func show(_ text: String) {
        guard isTerminal else { return }
        let columns = Int(connectd_terminal_columns(STDERR_FILENO))
        let fitting = columns > 1 ? String(text.prefix(columns - 1)) : text
        Output.errorText("\r\u{1B}[K\(fitting)")
        isShown = true
    }

    /// Takes the line away, so that another can be printed in its place.
    mutating func clear() {
        guard isShown else { return }
        Output.errorText("\r\u{1B}[K")
        isShown = false
    }
}
