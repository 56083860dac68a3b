import AccessPolicy
import CheckEngine
import ErrorCatalogue
import NetworkTypes

/// The output of `connectd policy` for people.
enum PolicyText {
    /// One target: a line with the decision, then one line for each name and address.
    static func text(of judged: JudgedTarget, _ policy: Policy) -> String {
        let target = TerminalText.clean(judged.target.text)
        switch judged.judgment {
        case .failure(let failure):
            let report = Classifier.report(for: failure)
            let consequence =
                judged.hidesNames ? "the profile public answers like a denial" : "the policy judges addresses"
            return "\(target): \(judged.state.rawValue): \(report.name) (\(report.message)); \(consequence)"
        case .success(let judgment):
            var rows = judgment.names.filter { $0.decision.verdict != .allow }.map { ($0.name, $0.decision) }
            rows += judgment.endpoints.map { (name(of: $0.endpoint), $0.decision) }
            let width = rows.map(\.0.count).max() ?? 0
            let lines = rows.map { name, decision in
                let word = decision.verdict == .allow ? "allowed" : "denied "
                let padded = TerminalText.clean(name) + String(repeating: " ", count: width - name.count)
                return "  \(word)  \(padded)  \(reason(of: decision, policy))"
            }
            return (["\(target): \(judged.state.rawValue)\(share(judgment))"] + lines).joined(separator: "\n")
        }
    }

    private static func share(_ judgment: TargetJudgment) -> String {
        let allowed = judgment.endpoints.count { $0.decision.verdict == .allow }
        guard judgment.isAllowed, allowed < judgment.endpoints.count else { return "" }
        return " at \(allowed) of \(judgment.endpoints.count) addresses"
    }

    static func name(of endpoint: Endpoint) -> String {
        switch endpoint {
        case .ip(let endpoint): endpoint.text
        case .unix(let address): address.text
        }
    }

    /// What decided, as a phrase.
    static func reason(of decision: PolicyDecision, _ policy: Policy) -> String {
        let subject = decision.embedded.map { "\($0.text), which is inside it, is denied: " } ?? ""
        return subject + cause(of: decision, policy)
    }

    private static func cause(of decision: PolicyDecision, _ policy: Policy) -> String {
        if let index = decision.rule { return "policy.rules[\(index)]: \(policy.rules[index].text)" }
        let profile = "profile \(policy.profile.rawValue)"
        switch decision.verdict {
        case .allow: return "\(profile): \(PolicyOrder.meaning(of: policy.profile))"
        case .deny(.profile):
            let limit = policy.profile == .rules ? "" : "\(PolicyOrder.meaning(of: policy.profile)), and "
            return "\(profile): \(limit)no rule allows it"
        case .deny(.unixPath): return "no rule with path allows it"
        case .deny(let reason):
            return "hard denial: \(reason.text); only an allow rule for exactly this address or path opens it"
        }
    }

    /// The effective order of the rules.
    static func order(of policy: Policy) -> String {
        let steps = PolicyOrder.steps(of: policy)
        let width = String(steps.count).count
        let lines = steps.enumerated().map { index, step in
            let number = String(index + 1)
            return "  \(String(repeating: " ", count: width - number.count))\(number)  \(step)"
        }
        return (["The first of these that matches an address decides:"] + lines).joined(separator: "\n")
    }
}

/// The order in which a policy decides, in words.
enum PolicyOrder {
    static func steps(of policy: Policy) -> [String] {
        let rules = policy.rules.enumerated().map { index, rule in
            "policy.rules[\(index)]: \(rule.text)\(note(on: rule))"
        }
        let ports = policy.ownPorts.sorted().map(String.init).joined(separator: ", ")
        let own = ports.isEmpty ? "" : ", and this service's own port \(ports) on any local address"
        return rules + [
            """
            hard denials: cloud metadata, link-local, multicast, broadcast, unspecified and reserved addresses\(own); \
            rules that allow more than one address do not apply to them
            """,
            "profile \(policy.profile.rawValue): \(meaning(of: policy.profile))",
        ]
    }

    private static func note(on rule: PolicyRule) -> String {
        switch rule.matcher {
        case .addresses(let range):
            rule.action == .allow && range.isSingleAddress ? " (also opens a hard denial)" : ""
        case .host: " (denies a name and its aliases, wherever the rule is)"
        case .path: ""
        }
    }

    static func meaning(of profile: Policy.Profile) -> String {
        switch profile {
        case .rules: "allows only what rules allow"
        case .sidecar: "allows loopback addresses"
        case .internal: "allows every unicast address"
        case .public: "allows global unicast addresses"
        }
    }
}
