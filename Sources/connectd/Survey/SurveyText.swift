import CheckModel
import ErrorCatalogue
import Fleet
import StrictJSON

/// Formats a survey as text: a line for each place, what differs, and the sentence.
///
/// Results come from other machines, so nothing of them reaches the terminal unchanged.
struct SurveyText {
    private let palette: Palette
    private let request: CheckRequest
    private var placeWidth = 0

    private static let widestPlace = 32
    private static let longestText = 120

    init(palette: Palette, request: CheckRequest) {
        self.palette = palette
        self.request = request
    }

    /// Sets the width of the first column.
    mutating func align(_ plan: SurveyPlan) {
        placeWidth = min(plan.stops.map(\.name.count).max() ?? 0, Self.widestPlace)
    }

    func line(_ entry: SurveyEntry) -> String {
        let place = entry.place.padded(to: placeWidth)
        guard let finding = entry.finding else {
            let status = entry.status.rawValue.padded(to: 14)
            return "\(palette.pending("--  "))  \(place)  \(status)  \(Self.clean(entry.detail ?? ""))"
        }
        return Self.line(finding, of: request, naming: place, in: palette)
    }

    /// The line of a result.
    /// - Parameter name: the second column: safe text.
    static func line(
        _ finding: SurveyFinding, of request: CheckRequest, naming name: String, in palette: Palette
    ) -> String {
        let time = finding.totalMilliseconds.map { HumanReport.milliseconds(Int64(clamped: $0 * 1e6)) } ?? ""
        var parts = [
            word(finding, of: request, in: palette), name, clean(finding.outcome).padded(to: 14),
            time.paddedLeft(to: 10),
        ]
        if let name = finding.errorName { parts.append("\(clean(name)) (\(clean(finding.errorMessage ?? "")))") }
        if let address = finding.attempts.last.flatMap(\.self) { parts.append(clean(address)) }
        return parts.joined(separator: "  ")
    }

    private static func word(_ finding: SurveyFinding, of request: CheckRequest, in palette: Palette) -> String {
        guard finding.isOK else { return palette.bad("FAIL") }
        return finding.isUnverified(request) ? palette.pending("????") : palette.good("ok  ")
    }

    /// The differences and the sentence.
    func end(_ conclusion: SurveyConclusion) -> String {
        let sentence = TerminalText.clean(conclusion.sentence)
        let painted =
            switch conclusion.verdict.conclusion {
            case .up: palette.good(sentence)
            case .down, .partial: palette.bad(sentence)
            case .undetermined: palette.pending(sentence)
            }
        let differences = conclusion.differences.flatMap { difference in
            ["\(difference.pointer) differs:"]
                + difference.values.map { value in
                    "  \(Self.text(value.value))  \(Self.clean(value.places.joined(separator: ", ")))"
                }
        }
        return (differences + [painted]).joined(separator: "\n")
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): clean(text)
        case .array(let values): values.map(text).joined(separator: " ")
        case .null, .bool, .integer, .number, .object: "none"
        }
    }

    private static func clean(_ text: String) -> String {
        TerminalText.clean(text.count <= longestText ? text : text.prefix(longestText) + "…")
    }
}

extension SurveyFinding {
    /// Whether nothing is known about a datagram peer, and the request does not expect that.
    func isUnverified(_ request: CheckRequest) -> Bool {
        isOK && outcome == Outcome.associated.word && request.expectation == .transportSuccess
    }
}

extension Int64 {
    /// The nearest integer; 0 for what is not a number.
    fileprivate init(clamped number: Double) {
        self = number.isFinite ? Int64(Swift.min(Swift.max(number, 0), 1e18)) : 0
    }
}
