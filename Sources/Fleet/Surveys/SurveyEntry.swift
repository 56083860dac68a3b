internal import HTTPServer
package import StrictJSON

/// What one place contributed to a survey.
package struct SurveyEntry: Sendable {
    package enum Status: String, CaseIterable, Sendable {
        case finished, unavailable, forbidden, unsupported
    }

    /// Its name in the response.
    package var place: String
    package var labels: [String: String]
    package var status: Status
    /// What its result says; nil if it did not finish.
    package var finding: SurveyFinding?
    /// Its result as JSON; empty if it did not finish.
    package var result: [UInt8]
    /// Why it did not finish: a clause without a period.
    package var detail: String?
    /// The memory of `result`, until the last copy of this entry is gone.
    private var charge: MemoryCharge?

    /// A place that ran the check.
    package init(place: String, labels: [String: String] = [:], finished document: JSONObject, bytes: [UInt8]) {
        self.place = place
        self.labels = labels
        status = .finished
        finding = SurveyFinding(document)
        result = bytes
    }

    /// A place that did not.
    package init(place: String, labels: [String: String] = [:], _ status: Status, because detail: String) {
        self.place = place
        self.labels = labels
        self.status = status
        self.detail = detail
        result = []
    }

    /// What remains after the result was sent.
    var withoutResult: SurveyEntry {
        var entry = self
        entry.result = []
        entry.charge = nil
        return entry
    }

    /// This entry with its memory charged; without its result if there is no room for it.
    func charged(to memory: MemoryBudget?) -> SurveyEntry {
        guard let memory, !result.isEmpty else { return self }
        guard let charge = MemoryCharge(result.count, for: .answers, in: memory) else {
            memory.noteRefusal(of: .answers)
            return SurveyEntry(
                place: place, labels: labels, .unavailable,
                because: "this service has no memory for the result now: ask fewer places at once")
        }
        var entry = self
        entry.charge = charge
        return entry
    }
}
