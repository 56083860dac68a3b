public import CheckModel
internal import ErrorCatalogue

/// Draws the conclusion from observations, by the rule table alone.
public enum Conclusion {
    /// The most causes that a sentence names.
    private static let mostCauses = 3

    /// - Parameters:
    ///   - observations: in the order of their importance.
    ///   - check: the check that is diagnosed.
    public static func conclude(
        _ observations: [Observation], about subject: DiagnosisSubject, check: CheckResult
    ) -> DiagnosisReport {
        let weights = CauseWeights(observations)
        let named = weights.best(atMost: mostCauses)
        let ruledOut = weights.ruledOut
        let findings = observations.map {
            Finding(sign: $0.sign, supports: support(of: $0.sign), observation: $0.text, evidence: $0.evidence)
        }
        let isOK = check.ok && weights.bestStrength < .allows
        let causes = isOK ? [] : named
        return DiagnosisReport(
            verdict: isOK ? .ok : verdict(of: causes),
            sentence: isOK
                ? "\(check.outcome == .associated ? "\(subject.name) answers" : subject.symptom(of: check)); the diagnosis found nothing wrong."
                : sentence(causes, weights, subject, check),
            confidence: isOK ? .certain : weights.confidence(of: causes),
            causes: causes, findings: findings, ruledOut: ruledOut,
            next: isOK ? [] : NextCommands.commands(for: causes, weights: weights, about: subject))
    }

    /// The party of all causes; `unknown` if they have several.
    private static func verdict(of causes: [Cause]) -> DiagnosisVerdict {
        let parties = Set(causes.map(\.party))
        return parties.count == 1 ? parties.first ?? .unknown : .unknown
    }

    /// What a finding points to.
    private static func support(of sign: Sign) -> DiagnosisVerdict {
        guard let rule = RuleTable.rule(of: sign), let strongest = rule.supports.map(\.strength).max() else {
            return RuleTable.rule(of: sign)?.rulesOut.isEmpty == false ? .ok : .unknown
        }
        return verdict(of: rule.supports.filter { $0.strength == strongest }.map(\.cause))
    }

    private static func sentence(
        _ causes: [Cause], _ weights: CauseWeights, _ subject: DiagnosisSubject, _ check: CheckResult
    ) -> String {
        let symptom = symptom(causes, subject, check)
        let clauses = causes.map { $0.clause(weights.facts(of: $0)) }
        guard let first = clauses.first else { return "\(symptom), and no experiment shows why." }
        guard clauses.count == 1 else { return "\(symptom): either \(clauses.joined(separator: ", or "))." }
        switch weights.confidence(of: causes) {
        case .certain: return "\(symptom): \(first)."
        case .likely: return "\(symptom), probably because \(first)."
        case .possible: return "\(symptom), possibly because \(first)."
        }
    }

    private static func symptom(_ causes: [Cause], _ subject: DiagnosisSubject, _ check: CheckResult) -> String {
        let symptom = subject.symptom(of: check)
        switch causes.first {
        case .familyBroken, .familyNotServed, .addressesBroken, .addressesUnreachable:
            return "\(subject.name) accepts connections only in part"
        case .noBackend, .clientRejected: return "\(subject.name) accepts connections and then closes them"
        case .noRoute, .familyMissing, .ownFirewallReject: return "This machine cannot connect to \(subject.name)"
        case .targetFirewallReject, .pathReject, .pathNoRoute: return "\(subject.name) is not reachable"
        default: return symptom
        }
    }
}

/// The strength of each cause, after the exclusions.
struct CauseWeights {
    private struct Support {
        var strength: Strength
        var facts: Evidence
    }

    /// The causes in the order in which they were first supported.
    private var order: [Cause] = []
    private var supports: [Cause: Support] = [:]
    private(set) var ruledOut: [RuledOutCause] = []

    init(_ observations: [Observation]) {
        for observation in observations {
            guard let rule = RuleTable.rule(of: observation.sign) else { continue }
            for (cause, strength) in rule.supports { add(cause, strength, observation.evidence) }
        }
        // A proof is stronger than an exclusion: the exclusion rests on other packets.
        for observation in observations {
            for cause in RuleTable.rule(of: observation.sign)?.rulesOut ?? [] {
                exclude(cause, because: observation.text)
            }
        }
    }

    private mutating func add(_ cause: Cause, _ strength: Strength, _ facts: Evidence) {
        guard let known = supports[cause] else {
            order.append(cause)
            supports[cause] = Support(strength: strength, facts: facts)
            return
        }
        if strength > known.strength { supports[cause] = Support(strength: strength, facts: facts) }
    }

    private mutating func exclude(_ cause: Cause, because text: String) {
        if supports[cause]?.strength == .proves || ruledOut.contains(where: { $0.cause == cause }) { return }
        supports[cause] = nil
        order.removeAll { $0 == cause }
        ruledOut.append(RuledOutCause(cause: cause, because: text))
    }

    /// The strength of the best cause; `fits` if there is none.
    var bestStrength: Strength { supports.values.map(\.strength).max() ?? .fits }

    /// The causes that no other surpasses. Of several proven causes, only the first observed.
    func best(atMost count: Int) -> [Cause] {
        let best = order.filter { supports[$0]?.strength == bestStrength }
        return Array(best.prefix(bestStrength == .proves ? 1 : count))
    }

    func facts(of cause: Cause) -> Evidence { supports[cause]?.facts ?? Evidence() }

    func confidence(of causes: [Cause]) -> Confidence {
        guard causes.count == 1 else { return .possible }
        switch bestStrength {
        case .proves: return .certain
        case .indicates: return .likely
        case .fits, .allows: return .possible
        }
    }
}
