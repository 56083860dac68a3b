import CheckModel

/// How many checks ended how.
struct CheckTally {
    let total: Int
    private(set) var finished = 0
    private(set) var ok = 0
    private(set) var unverified = 0
    /// Timeouts that were not expected.
    private(set) var timeouts = 0
    private var counts: [Outcome: Int] = [:]
    private var failures: [Outcome: Int] = [:]

    init(total: Int) {
        self.total = total
    }

    var failed: Int { finished - ok - unverified }

    mutating func add(_ result: CheckResult, _ verdict: CheckVerdict) {
        finished += 1
        counts[result.outcome, default: 0] += 1
        switch verdict {
        case .ok: ok += 1
        case .unverified: unverified += 1
        case .failed:
            failures[result.outcome, default: 0] += 1
            if result.outcome == .failed(.timeout) { timeouts += 1 }
        }
    }

    /// `9 connected, 3 refused`, in the order of the vocabulary.
    var byOutcome: String { Self.list(counts) }

    /// `5 targets in 1.02 s: 3 ok, 2 failed (1 refused, 1 timeout)`.
    /// - Parameter isInterrupted: whether the run ended early.
    func summary(afterNanoseconds nanoseconds: Int64, isInterrupted: Bool) -> String {
        let time = TimeText.seconds(nanoseconds)
        let targets = "\(total) \(total == 1 ? "target" : "targets")"
        var parts = ["\(ok) ok", "\(failed) failed" + (failed > 0 ? " (\(Self.list(failures)))" : "")]
        if unverified > 0 { parts.append("\(unverified) not verified") }
        guard isInterrupted else { return "\(targets) in \(time): \(parts.joined(separator: ", "))" }
        parts.append("\(total - finished) not finished")
        return "interrupted after \(time), \(finished) of \(targets) finished: \(parts.joined(separator: ", "))"
    }

    /// A table of the outcomes; empty where the summary line says as much.
    var table: [String] {
        let rows = Outcome.all.compactMap { outcome in counts[outcome].map { (outcome.word, String($0)) } }
        guard total > 10, rows.count > 1 else { return [] }
        let all = [("OUTCOME", "TARGETS")] + rows
        let width = all.map(\.0.count).max() ?? 0
        return all.map { "\($0.0.padded(to: width))  \($0.1.paddedLeft(to: 7))" }
    }

    private static func list(_ counts: [Outcome: Int]) -> String {
        Outcome.all.compactMap { outcome in counts[outcome].map { "\($0) \(outcome.word)" } }.joined(separator: ", ")
    }
}

/// Times for people.
enum TimeText {
    /// `0.31 s`, `12.5 s`, `3 min 20 s`.
    static func seconds(_ nanoseconds: Int64) -> String {
        let hundredths = max(nanoseconds, 0) / 10_000_000
        if hundredths >= 6000 { return whole(seconds: hundredths / 100) }
        let fraction = hundredths % 100
        if hundredths >= 1000 { return "\(hundredths / 100).\(fraction / 10) s" }
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
    }

    /// `8 s`, `3 min 20 s`, `2 h 5 min`.
    static func whole(seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
        default: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        }
    }
}
