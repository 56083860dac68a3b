import CLinux
import NetworkTypes
import SocketIO

/// The progress of a run of checks.
struct Progress {
    private let started: MonotonicTime
    private let concurrency: Int
    private let rate: Double
    private let timeoutMilliseconds: Int
    private let retryPauseMilliseconds: Int
    /// The current round of repeated checks; nil before the first round.
    private var repetition: (round: Int, left: Int, total: Int)?
    /// Checks that timed out and will be repeated.
    private var deferred = 0
    /// The checks before or after the cases of `verify`, while they run.
    private var side: SideProgress?

    /// - Parameter timeoutMilliseconds: The longest timeout of all checks.
    init(
        started: MonotonicTime, concurrency: Int, rate: Double, timeoutMilliseconds: Int, retryPauseMilliseconds: Int
    ) {
        self.started = started
        self.concurrency = concurrency
        self.rate = rate
        self.timeoutMilliseconds = timeoutMilliseconds
        self.retryPauseMilliseconds = retryPauseMilliseconds
    }

    /// - Parameter side: Checks before or after the cases; nil when all of them have ended.
    mutating func show(_ side: SideProgress?) {
        self.side = side
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
        if let side { return (parts + [side.text]).joined(separator: ", ") }
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
        // No check takes longer than its timeout, which limits the remaining time.
        let rounds = (left + concurrency - 1) / concurrency
        var bound = Int64(rounds) * Int64(timeoutMilliseconds) * 1_000_000
        if tally.total <= concurrency { bound = max(bound - elapsed, 0) }
        if rate > 0 { bound += Int64(Double(left) / rate * 1_000_000_000) }
        let estimate = done >= 10 ? elapsed / Int64(done) * Int64(left) : bound
        return min(bound, estimate) / 1_000_000_000 + 1
    }
}

/// How many of the checks before or after the cases of `verify` have ended.
struct SideProgress: Equatable {
    /// What the checks are for: `controls before the cases`.
    let name: String
    var done = 0
    let total: Int

    /// `controls before the cases: 1 of 2`.
    var text: String { "\(name): \(done) of \(total)" }
}

/// A status line on standard error, which is overwritten on a terminal.
struct StatusLine {
    private let isTerminal: Bool
    private var isShown = false

    /// - Parameter environment: With `TERM=dumb` a line cannot be overwritten, so none is shown.
    init(environment: [String: String]) {
        isTerminal = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
    }

    /// Whether the status line is shown at all.
    var isUsable: Bool { isTerminal }

    mutating func show(_ text: String) {
        guard isTerminal else { return }
        let columns = Int(connectd_terminal_columns(STDERR_FILENO))
        let fitting = columns > 1 ? String(text.prefix(columns - 1)) : text
        Output.errorText("\r\u{1B}[K\(fitting)")
        isShown = true
    }

    /// Removes the line, so that other output can be printed.
    mutating func clear() {
        guard isShown else { return }
        Output.errorText("\r\u{1B}[K")
        isShown = false
    }
}
