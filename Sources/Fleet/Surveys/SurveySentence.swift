internal import ErrorCatalogue

/// Says in plain English what a survey found.
struct SurveySentence {
    private let verdict: SurveyVerdict
    private let quorum: Int
    private let unmatched: [String]
    private let entries: [SurveyEntry]
    private let counted: [SurveyEntry]

    /// Places that are named; of more, only the number.
    private static let mostNames = 3
    /// The most characters of the labels of one selector.
    private static let longestLabels = 200

    init(entries: [SurveyEntry], verdict: SurveyVerdict, quorum: Int, unmatched: [String]) {
        self.entries = entries
        self.verdict = verdict
        self.quorum = quorum
        self.unmatched = unmatched
        counted = entries.filter { $0.finding?.vote(of: $0.place, labels: $0.labels).counts ?? false }
    }

    private var succeeded: [SurveyEntry] { counted.filter { $0.finding?.isOK ?? false } }
    private var failed: [SurveyEntry] { counted.filter { !($0.finding?.isOK ?? false) } }

    var text: String {
        ((entries.isEmpty ? [] : [conclusion]) + remainders).joined(separator: " ")
    }

    // MARK: The verdict

    private var conclusion: String {
        switch verdict.conclusion {
        case .up: "\(success) from \(all(of: counted))."
        case .partial: partial
        case .down: down
        case .undetermined: undetermined
        }
    }

    /// What the places that succeeded found: a success, or a failure that the check expects.
    private var success: String {
        if succeeded.contains(where: { $0.finding?.outcome == Outcome.associated.word }) {
            return "Without an error, but not verified,"
        }
        let reachable = [Outcome.connected.word, Outcome.answered.word]
        let isReachable = succeeded.allSatisfy { reachable.contains($0.finding?.outcome ?? "") }
        return isReachable ? "Reachable" : "As expected"
    }

    private var partial: String {
        let count = "\(success) from \(succeeded.count) of \(counted.count) places"
        if let label = verdict.label { return "\(count); all places with \(label.name)=\(label.value) failed." }
        var names = failed.prefix(Self.mostNames).map { "\($0.place) (\($0.finding?.outcome ?? ""))" }
        if failed.count > names.count { names.append("\(failed.count - names.count) more") }
        return "\(count); failed from \(Self.list(names))."
    }

    private var down: String {
        switch verdict.location {
        case .target: "\(failure) from \(all(of: failed)): the target is \(isTargetDown ? "down" : "at fault")."
        case .path:
            "\(failure) from \(all(of: failed)), and \(failed.first?.finding?.lastResponder ?? "") answered last: "
                + "the path is at fault."
        case .prober, .unknown, nil: downSomewhere
        }
    }

    private var downSomewhere: String {
        if failed.contains(where: { $0.finding?.fault == nil }) {
            return "Not as expected from \(all(of: failed)) (\(outcomes))."
        }
        let isSilent = failed.allSatisfy { $0.finding?.isSilent ?? false }
        let what = isSilent ? "No answer from the target, tried" : failure
        return "\(what) from \(all(of: failed)): the target or the path to it is down."
    }

    private var undetermined: String {
        if verdict.location == .prober {
            return "No verdict: the fault is with the \(entries.count == 1 ? "place" : "places"), not with the target."
        }
        let results = counted.count == 1 ? "1 result counts" : "\(counted.count) results count"
        return "No verdict: \(results), and the quorum is \(quorum)."
    }

    // MARK: Phrases

    /// Whether a failed connect is all that was found, so that nothing works there.
    private var isTargetDown: Bool {
        let words: Set<ErrorClass> = [.refused, .reset, .timeout, .unreachable, .noSuchSocket, .backlogFull]
        return failed.allSatisfy { words.map(\.rawValue).contains($0.finding?.outcome ?? "") }
    }

    private var failure: String {
        let words = Set(failed.map { $0.finding?.outcome ?? "" })
        guard words.count == 1, let word = words.first else { return "Failed (\(outcomes))" }
        switch ErrorClass(rawValue: word) {
        case .refused: return "Refused"
        case .reset: return "Reset"
        case .timeout: return "No answer"
        case .unreachable: return "Unreachable"
        case .tlsFailed: return "TLS failed"
        case .dialogFailed: return "The dialog failed"
        default: return "Failed (\(word))"
        }
    }

    /// Such as `refused 2, timeout 1`.
    private var outcomes: String {
        var counts: [String: Int] = [:]
        for entry in failed { counts[entry.finding?.outcome ?? "", default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private func all(of group: [SurveyEntry]) -> String {
        switch group.count {
        case 1: group[0].place
        case 2: "both places that answered"
        default: "all \(group.count) places that answered"
        }
    }

    // MARK: What does not count

    private var remainders: [String] {
        var texts: [String] = []
        for (status, text) in [
            (SurveyEntry.Status.unavailable, "did not answer"), (.forbidden, "did not allow the check"),
            (.unsupported, "did not accept the check"),
        ] {
            let names = entries.filter { $0.status == status }.map(\.place)
            if !names.isEmpty { texts.append("\(Self.named(names)) \(text).") }
        }
        let others = entries.filter { $0.status == .finished }.count - counted.count
        if others > 0 {
            let faults = Set(entries.compactMap(\.finding?.fault)).subtracting(["target", "network"]).sorted()
            let results = others == 1 ? "1 result does" : "\(others) results do"
            texts.append("\(results) not count: fault \(faults.joined(separator: ", ")).")
        }
        texts += unmatched.prefix(Self.mostNames).map { "No place has the labels \($0.prefix(Self.longestLabels))." }
        if unmatched.count > Self.mostNames {
            texts.append("\(unmatched.count - Self.mostNames) more selectors match no place.")
        }
        return texts
    }

    /// Up to three names; of more, the number.
    private static func named(_ names: [String]) -> String {
        names.count <= mostNames ? list(names) : "\(names.count) places"
    }

    private static func list(_ elements: [String]) -> String {
        guard let last = elements.last, elements.count > 1 else { return elements.first ?? "" }
        return elements.dropLast().joined(separator: ", ") + " and " + last
    }
}
