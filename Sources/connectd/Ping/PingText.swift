import CheckModel
import ErrorCatalogue
import NetworkTypes

/// Formats rounds and the summary of `ping` for people.
struct PingText {
    let request: CheckRequest
    let palette: Palette

    /// The most addresses that the summary lists.
    private static let shownAddresses = 8

    /// `seq=3  10.0.0.7:443  connected  time=0.31 ms  rtt=0.12 ms`.
    func line(for round: PingRound) -> String {
        let result = round.result
        let finished = FinishedRound(result, start: round.start, end: round.end)
        let attempt = result.attempts.last { $0.outcome == result.outcome } ?? result.attempts.last
        let place = attempt.flatMap(HumanReport.address(of:)) ?? request.target.text
        var parts = ["seq=\(round.number)", TerminalText.clean(place), outcome(of: result)]
        if attempt != nil { parts.append("time=\(MillisecondText.short(finished.durationNanoseconds)) ms") }
        if result.error == nil, let rtt = finished.rttMicroseconds {
            parts.append("rtt=\(MillisecondText.short(Int64(rtt) * 1000)) ms")
        }
        if let syns = synText(of: finished, result) { parts.append(syns) }
        if let error = result.error { parts += explanation(of: error, result, attempt) }
        if let earlier = earlierAttempts(of: result) { parts.append(earlier) }
        return parts.joined(separator: "  ")
    }

    /// The addresses that did not connect before one did: they are part of the time. nil for none.
    private func earlierAttempts(of result: CheckResult) -> String? {
        guard result.error == nil, request.resolve.addresses == .first, result.attempts.count > 1,
            let address = HumanReport.address(of: result.attempts[0])
        else { return nil }
        let others = result.attempts.count - 2
        let more = others == 0 ? "" : others == 1 ? " and 1 more address" : " and \(others) more addresses"
        return "after \(address) \(result.attempts[0].outcome.word)\(more)"
    }

    private func outcome(of result: CheckResult) -> String {
        let word = result.outcome.word
        return switch CheckVerdict(result, of: request) {
        case .ok: palette.good(word)
        case .failed: palette.bad(word)
        case .unverified: palette.pending("\(word) (not verified)")
        }
    }

    /// What became of more than one SYN; nil if there is nothing to say.
    private func synText(of round: FinishedRound, _ result: CheckResult) -> String? {
        if result.outcome == .failed(.timeout), result.phase == .connect, round.synSent > 0 {
            return round.synSent == 1 ? "1 SYN sent, not answered" : "\(round.synSent) SYNs sent, none answered"
        }
        guard round.synRetransmits > 0 else { return nil }
        return "\(round.synSent) SYNs sent"
    }

    private func explanation(of error: ErrorReport, _ result: CheckResult, _ attempt: AttemptResult?) -> [String] {
        var parts = ["\(error.name) (\(TerminalText.clean(error.message)))"]
        if result.phase != .connect { parts.append("phase \(result.phase.rawValue)") }
        if let icmp = attempt?.icmp { parts.append("ICMP \(icmp.meaning) from \(icmp.from.text)") }
        if !result.ok, let expected = HumanReport.expectation(request.expectation, missedBy: result) {
            parts.append(expected)
        }
        return parts
    }
}

// The summary.
extension PingText {
    /// - Parameter elapsed: The time since the first round, in nanoseconds.
    func summary(_ tally: PingTally, afterNanoseconds elapsed: Int64) -> [String] {
        let statistics = tally.statistics
        var lines = ["--- \(TerminalText.clean(request.target.text)) ---"]
        lines.append(counts(tally, statistics, elapsed))
        lines += times(statistics, tally)
        if statistics.retransmittedTimes.count > 0 { lines.append(retransmitted(statistics.retransmittedTimes)) }
        if statistics.longestOutage > 0 { lines.append("longest outage \(span(statistics.longestOutage))") }
        if statistics.addresses.count > 1 { lines.append(addresses(statistics.addresses)) }
        return lines
    }

    /// `512 ms`, `2.01 s`, `3 min 20 s`.
    private func span(_ nanoseconds: Int64) -> String {
        nanoseconds < 1_000_000_000 ? "\(nanoseconds / 1_000_000) ms" : TimeText.seconds(nanoseconds)
    }

    private var isUnix: Bool { if case .unix = request.target.peer { true } else { false } }

    private var isTCP: Bool { if case .tcp = request.target.peer { true } else { false } }

    private func counts(_ tally: PingTally, _ statistics: RoundStatistics, _ elapsed: Int64) -> String {
        let all = tally.finishedCount
        var parts = ["\(all) \(all == 1 ? "attempt" : "attempts")"]
        if tally.okCount > 0 || tally.unverifiedCount == 0 {
            parts.append(tally.okCount > 0 ? tally.byOutcome(.ok) : "0 \(successWord)")
        }
        if tally.unverifiedCount > 0 { parts.append("\(tally.byOutcome(.unverified)) (not verified)") }
        let failed = "\(PercentText.whole(tally.failedCount, of: all)) failed"
        parts.append(failed + (tally.failedCount > 0 ? " (\(tally.byOutcome(.failed)))" : ""))
        if isTCP { parts.append(statistics.synSent == 1 ? "1 SYN sent" : "\(statistics.synSent) SYNs sent") }
        if let loss = statistics.loss, tally.unverifiedCount == 0, !isUnix {
            parts.append("\(PercentText.whole(loss)) lost")
        }
        parts.append("time \(max(elapsed, 0) / 1_000_000) ms")
        return parts.joined(separator: ", ")
    }

    private var successWord: String {
        switch request.expectation {
        case .transportSuccess: request.target.isDatagram ? "answered" : "connected"
        case .oneOf(let outcomes): outcomes.map(\.word).joined(separator: " or ")
        case .not(let outcome): "without \(outcome.word)"
        }
    }

    private static let names = "min/median/avg/p95/max/mdev"

    /// The round-trip times of TCP, and the times of rounds if they contain more than the connect.
    private func times(_ statistics: RoundStatistics, _ tally: PingTally) -> [String] {
        let rtt = "rtt \(Self.names) = \(values(statistics.rtts, nanosecondsPerUnit: 1000)) ms"
        let time = "time \(Self.names) = \(values(statistics.times, nanosecondsPerUnit: 1)) ms"
        guard isTCP else { return tally.okCount == 0 && tally.unverifiedCount > 0 ? [] : [time] }
        return request.tls == nil && request.dialog.isEmpty ? [rtt] : [rtt, time]
    }

    /// The values with slashes between them; each is `-` if there are no samples.
    private func values(_ samples: SampleDistribution, nanosecondsPerUnit: Double) -> String {
        [
            samples.min, samples.median, samples.mean, samples.percentile95, samples.max, samples.standardDeviation,
        ].map { value in
            value.map { MillisecondText.exact(Int64(($0 * nanosecondsPerUnit).rounded())) } ?? "-"
        }.joined(separator: "/")
    }

    private func retransmitted(_ times: SampleDistribution) -> String {
        let values = [times.min, times.median, times.max].compactMap { $0 }
            .map { MillisecondText.exact(Int64($0.rounded())) }.joined(separator: "/")
        let rounds = times.count == 1 ? "1 round" : "\(times.count) rounds"
        return "\(rounds) with a lost SYN, not in these times: time min/median/max = \(values) ms"
    }

    private func addresses(_ addresses: [IPAddress]) -> String {
        let shown = addresses.prefix(Self.shownAddresses).map(\.text).joined(separator: ", ")
        let hidden = addresses.count - Self.shownAddresses
        return "\(addresses.count) addresses: \(shown)\(hidden > 0 ? " and \(hidden) more" : "")"
    }
}

/// Formats times in milliseconds.
enum MillisecondText {
    /// Three significant digits, as ping does it: `0.312`, `1.31`, `13.1`, `1031`.
    static func short(_ nanoseconds: Int64) -> String {
        switch nanoseconds {
        case ..<999_500: decimal(nanoseconds, digits: 3)
        case ..<9_995_000: decimal(nanoseconds, digits: 2)
        case ..<99_950_000: decimal(nanoseconds, digits: 1)
        default: decimal(nanoseconds, digits: 0)
        }
    }

    /// Three decimals: `1031.204`.
    static func exact(_ nanoseconds: Int64) -> String { decimal(nanoseconds, digits: 3) }

    private static func decimal(_ nanoseconds: Int64, digits: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let unit = 1_000_000 / scale
        let value = (max(nanoseconds, 0) + unit / 2) / unit
        guard digits > 0 else { return String(value) }
        let fraction = String(value % scale)
        return "\(value / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }
}

/// Formats shares as whole percent: never 0 % of something, and never 100 % if something is missing.
enum PercentText {
    static func whole(_ share: Double) -> String {
        let percent = Int((share * 100).rounded())
        if share > 0, percent == 0 { return "<1%" }
        if share < 1, percent == 100 { return ">99%" }
        return "\(percent)%"
    }

    static func whole(_ part: Int, of all: Int) -> String { all == 0 ? "0%" : whole(Double(part) / Double(all)) }
}
