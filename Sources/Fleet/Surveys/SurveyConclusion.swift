/// The end of a survey: what all entries say together. It does not depend on anything else.
package struct SurveyConclusion: Sendable {
    /// The counts of the entries.
    package struct Summary: Sendable, Equatable {
        package var asked = 0
        /// Results that say something about the target.
        package var counted = 0
        /// Of those counted.
        package var ok = 0
        package var failed = 0
        /// All results by outcome, in the order of the words.
        package var byOutcome: [(outcome: String, count: Int)] = []

        package static func == (left: Self, right: Self) -> Bool {
            left.asked == right.asked && left.counted == right.counted && left.ok == right.ok
                && left.failed == right.failed && left.byOutcome.elementsEqual(right.byOutcome, by: ==)
        }
    }

    package let verdict: SurveyVerdict
    package let sentence: String
    package let summary: Summary
    package let differences: [SurveyDifference]

    /// - Parameters:
    ///   - quorum: how many results must count, at least 1.
    ///   - unmatched: the labels that no place has, as texts.
    package init(of entries: [SurveyEntry], quorum: Int, unmatched: [String] = []) {
        let votes = entries.compactMap { entry in
            entry.finding.map { $0.vote(of: entry.place, labels: entry.labels) }
        }
        let counted = votes.filter(\.counts)
        var summary = Summary(asked: entries.count, counted: counted.count, ok: counted.count(where: \.isOK))
        summary.failed = summary.counted - summary.ok
        var outcomes: [String: Int] = [:]
        for entry in entries {
            if let finding = entry.finding { outcomes[finding.outcome, default: 0] += 1 }
        }
        summary.byOutcome = outcomes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.summary = summary
        let verdict = SurveyVerdict(votes, quorum: quorum)
        self.verdict = verdict
        sentence = SurveySentence(entries: entries, verdict: verdict, quorum: quorum, unmatched: unmatched).text
        differences = SurveyDifference.all(
            among: entries.compactMap { entry in
                entry.finding.map { SurveyDifference.Source(place: entry.place, finding: $0) }
            })
    }
}
