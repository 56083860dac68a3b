internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import StrictJSON

/// A policy that states what was found: each rule of the original, with the expectations that its cases meet.
///
/// The file can be loaded, and it passes as long as nothing changes. What could not be tried is only a comment.
package struct LearnedPolicy {
    private let policy: ReachabilityPolicy
    private let setNames: Set<String>
    /// For each rule, its cases by expectation.
    private var groups: [[(expectation: RuleExpectation, cases: [ReachabilityCase])]] = []
    /// Cases without an expectation that they meet, with the reason.
    private var unknown: [(target: String, reason: String)] = []

    private static let shownUnknown = 100

    /// - Parameter judge: the judge of a rule, by its index, for an expectation.
    package init(_ policy: ReachabilityPolicy, _ cases: [VerifiedCase], judge: (Int, RuleExpectation) -> CaseJudge) {
        self.policy = policy
        setNames = Set(policy.sets.map(\.name))
        groups = Array(repeating: [], count: policy.rules.count)
        for verified in cases {
            let tested = verified.reachabilityCase
            let candidates: [RuleExpectation] = [
                .open, .closed, .blocked, .outcomes(.oneOf([verified.result.outcome])),
            ]
            var reason = ""
            let expectation = candidates.first { candidate in
                let judgment = judge(tested.rule, candidate).judgment(of: verified.result, on: tested.target)
                if judgment.verdict != .pass, judgment.verdict != .violation { reason = judgment.reason ?? "" }
                return judgment.verdict == .pass
            }
            // A socket that asked nothing meets its own outcome, but that says nothing.
            if let expectation, verified.result.outcome != .associated, reason.isEmpty {
                add(tested, expectation)
            } else {
                unknown.append((tested.target.text, reason))
            }
        }
    }

    private mutating func add(_ tested: ReachabilityCase, _ expectation: RuleExpectation) {
        if let index = groups[tested.rule].firstIndex(where: { $0.expectation == expectation }) {
            groups[tested.rule][index].cases.append(tested)
        } else {
            groups[tested.rule].append((expectation, [tested]))
        }
    }

    /// The number of cases without an expectation.
    package var unknownCount: Int { unknown.count }

    /// The file.
    /// - Parameter origin: where it was learned, for the first comment.
    package func text(origin: String) -> String {
        var lines = ["# Learned by connectd verify --learn on \(VisibleText.of(origin)). Read it before you use it."]
        lines += unknown.prefix(Self.shownUnknown).map { "# not learned: \(VisibleText.of("\($0): \($1)"))" }
        if unknown.count > Self.shownUnknown {
            lines.append("# not learned: \(unknown.count - Self.shownUnknown) more")
        }
        lines.append("version: \(ReachabilityPolicy.version)")
        if let defaults { lines.append("defaults: \(defaults)") }
        let rules = policy.rules.indices.flatMap(rules(of:))
        let names = Set(rules.flatMap(\.to))
        var sets = policy.sets.filter { names.contains($0.name) }
        for set in rules.flatMap(\.hostSets) where !sets.contains(where: { $0.name == set.name }) { sets.append(set) }
        if !sets.isEmpty {
            lines.append("sets:")
            lines += sets.map {
                "  \(YAMLText.string($0.name)): \(YAMLText.list($0.entries.map { YAMLText.string($0.text) }))"
            }
        }
        lines.append(rules.isEmpty ? "rules: []" : "rules:")
        return (lines + rules.map { "  - \($0.text)" }).joined(separator: "\n") + "\n"
    }

    private var defaults: String? {
        var pairs = policy.defaults.members.map { ($0.key, YAMLText.value($0.value)) }
        let pace: [(String, Int?)] = [
            ("retry_timeouts", policy.pace.timeoutRetries), ("concurrency", policy.pace.concurrency),
            ("per_host", policy.pace.perHost), ("rate_per_second", policy.pace.ratePerSecond),
        ]
        for (key, value) in pace {
            if let value { pairs.append((key, String(value))) }
        }
        return pairs.isEmpty ? nil : YAMLText.mapping(pairs)
    }

    private struct WrittenRule {
        let text: String
        let to: [String]
        let hostSets: [NamedSet]
    }

    private func rules(of index: Int) -> [WrittenRule] {
        let rule = policy.rules[index]
        var parts: [(expectation: RuleExpectation, part: RulePart)] = []
        for group in groups[index] {
            parts += RulePart.parts(of: group.cases, rule, setNames: setNames).map { (group.expectation, $0) }
        }
        return parts.enumerated().map { number, element in
            let name = parts.count == 1 ? rule.name : "\(rule.name) (\(number + 1))"
            var pairs = [("name", YAMLText.string(name)), ("to", YAMLText.list(element.part.to.map(YAMLText.string)))]
            if !element.part.ports.isEmpty { pairs.append(("ports", element.part.portList)) }
            pairs.append(("expect", YAMLText.string(element.expectation.text)))
            pairs += extras(of: rule)
            return WrittenRule(text: YAMLText.mapping(pairs), to: element.part.to, hostSets: element.part.hostSets)
        }
    }

    private func extras(of rule: ReachabilityRule) -> [(String, String)] {
        var pairs: [(String, String)] = []
        if let control = rule.control { pairs.append(("control", YAMLText.string(control.text))) }
        if rule.resetIsBlock { pairs.append(("rst_is_block", "true")) }
        if !rule.labels.isEmpty {
            pairs.append(("labels", YAMLText.mapping(rule.labels.map { ($0.name, YAMLText.string($0.value)) })))
        }
        let own = rule.check.members.filter { !policy.defaults.members.contains($0) }
        if !own.isEmpty {
            pairs.append(("check", YAMLText.mapping(own.map { ($0.key, YAMLText.value($0.value)) })))
        }
        return pairs
    }
}
