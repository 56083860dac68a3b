import CheckModel
import ErrorCatalogue

/// Formats what happened after the connect, and the statistics of several rounds.
enum HumanRounds {
    /// The lines below the result; empty for a check without a hold and with one round.
    static func lines(for result: CheckResult) -> [String] {
        var lines: [String] = []
        if let after = result.after { lines.append(line(for: after)) }
        if result.attempts.contains(where: { $0.hasSentLastACK == true }) {
            lines.append("the last ACK left before the reset, so the peer's program may have seen the connection")
        }
        if let statistics = result.rounds?.statistics { lines += self.lines(for: statistics) }
        return lines
    }

    private static func line(for report: HoldReport) -> String {
        let time = HumanReport.milliseconds(report.nanoseconds)
        return switch report.event {
        case .open: "held for \(time): still open"
        case .closed: "held: closed by the peer after \(time)"
        case .reset: "held: reset by the peer after \(time)"
        case .data: "held: still open, data from the peer after \(time)"
        }
    }

    private static func lines(for statistics: RoundStatistics) -> [String] {
        var parts = ["\(count(statistics.sent, "round")), \(statistics.ok) ok"]
        if let loss = statistics.loss { parts.append("\(percent(loss)) lost") }
        if statistics.synSent > 0 {
            parts.append("\(count(statistics.synSent, "SYN")) sent, \(statistics.synRetransmits) of them again")
        }
        if statistics.longestOutage > 0 {
            parts.append("longest outage \(HumanReport.milliseconds(statistics.longestOutage))")
        }
        var lines = [parts.joined(separator: ", ")]
        let failures = statistics.byOutcome.map { "\($0.count) \($0.outcome.word)" }
        if failures.count > 1 || statistics.ok < statistics.sent { lines.append(failures.joined(separator: ", ")) }
        if let times = times(statistics.times) { lines.append("time \(times)") }
        if let times = times(statistics.retransmittedTimes) { lines.append("time after a lost SYN \(times)") }
        return lines
    }

    private static func count(_ number: Int, _ unit: String) -> String { "\(number) \(unit)\(number == 1 ? "" : "s")" }

    private static func times(_ times: SampleDistribution) -> String? {
        guard let min = times.min, let median = times.median, let mean = times.mean, let high = times.percentile95,
            let max = times.max, let deviation = times.standardDeviation
        else { return nil }
        let values = [min, median, mean, high, max, deviation].map { milliseconds($0) }
        return "min/median/avg/p95/max/stddev = \(values.joined(separator: "/")) ms"
    }

    private static func milliseconds(_ nanoseconds: Double) -> String {
        String(HumanReport.milliseconds(Int64(nanoseconds.rounded())).dropLast(" ms".count))
    }

    /// At most one decimal, and never 0% for a loss or 100% if something was answered.
    static func percent(_ share: Double) -> String {
        var tenths = (share * 1000).rounded()
        if share > 0 { tenths = max(tenths, 1) }
        if share < 1 { tenths = min(tenths, 999) }
        let whole = Int(tenths) / 10
        let rest = Int(tenths) % 10
        return rest == 0 ? "\(whole)%" : "\(whole).\(rest)%"
    }
}
