internal import CheckModel

/// One rule while its keys are read.
struct RuleDraft {
    var action: PolicyRule.Action?
    /// The values of `cidr`, `path` and `host`.
    var subjects: [RuleKey: String] = [:]
    var ports: [PortRange]?
    var transports: [Transport]?
    /// The keys that are there, with the places of their values.
    var places: [RuleKey: TextPosition] = [:]

    /// The rule, judged as a whole. What is wrong is reported with the key that it is about.
    func finished(_ report: (String, RuleKey?) -> Void) -> PolicyRule? {
        if places[.action] == nil { report("lacks the key \"action\" (allow or deny)", nil) }
        // A key that is there with an unreadable value was reported, and says nothing about the others.
        let hasUnreadSubject = [RuleKey.cidr, .path, .host].contains { places[$0] != nil && subjects[$0] == nil }
        guard !hasUnreadSubject else { return nil }
        do throws(PolicyRuleError) {
            // Without an action the rest is judged as part of a rule that denies, which may hold every key.
            return try PolicyRule(
                action: action ?? .deny, cidr: subjects[.cidr], path: subjects[.path], host: subjects[.host],
                ports: ports, transports: transports.map(Set.init))
        } catch {
            report(ValueRefusal(sentence: error.detail).reason, error.member.map(Self.key))
            return nil
        }
    }

    private static func key(_ member: PolicyRuleError.Member) -> RuleKey {
        switch member {
        case .cidr: .cidr
        case .path: .path
        case .host: .host
        case .ports: .ports
        case .transports: .transports
        }
    }
}
