import CheckModel
import ErrorCatalogue
import NetworkTypes

/// The numbers of a `ping`, in memory that does not grow with the rounds.
struct PingTally {
    /// Rounds by outcome, for each verdict.
    private var counts: [CheckVerdict: [Outcome: Int]] = [:]
    /// The rounds up to the first one that has not ended.
    private var ordered = RoundStatistics()
    /// Later rounds that have ended. There are at most as many as rounds that run at once.
    private var early: [Int: FinishedRound] = [:]
    private var nextNumber = 1

    mutating func add(_ round: PingRound, _ verdict: CheckVerdict) {
        counts[verdict, default: [:]][round.result.outcome, default: 0] += 1
        // Outages are found in the order of the starts.
        early[round.number] = FinishedRound(round.result, start: round.start, end: round.end)
        while let next = early.removeValue(forKey: nextNumber) {
            ordered.note(next)
            nextNumber += 1
        }
    }

    /// The statistics of all rounds that have ended.
    var statistics: RoundStatistics {
        var all = ordered
        for (_, round) in early.sorted(by: { $0.key < $1.key }) { all.note(round) }
        return all
    }

    var finishedCount: Int { [.ok, .failed, .unverified].reduce(0) { $0 + count($1) } }
    var okCount: Int { count(.ok) }
    var failedCount: Int { count(.failed) }
    var unverifiedCount: Int { count(.unverified) }

    /// `19 connected`, in the order of the vocabulary; empty for none.
    func byOutcome(_ verdict: CheckVerdict) -> String {
        let counts = counts[verdict] ?? [:]
        return Outcome.all.compactMap { outcome in counts[outcome].map { "\($0) \(outcome.word)" } }
            .joined(separator: ", ")
    }

    private func count(_ verdict: CheckVerdict) -> Int { counts[verdict]?.values.reduce(0, +) ?? 0 }
}
