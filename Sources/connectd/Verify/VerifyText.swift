import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Reachability

/// The text report of `verify`: one line for each rule, and a line for each case that did not pass or has a note.
struct VerifyText {
    let plan: VerifyPlan
    let verdicts: VerifyVerdicts
    /// Timeouts that were repeated slowly, by the index of their case.
    let repeated: Set<Int>
    let palette: Palette
    /// Whether cases that passed are shown as well.
    let isVerbose: Bool

    private static let shownCases = 20

    /// All lines before the summary.
    var lines: [String] {
        var byRule: [[VerifiedCase]] = Array(repeating: [], count: plan.policy.rules.count)
        for verified in verdicts.cases { byRule[verified.reachabilityCase.rule].append(verified) }
        let width = min(plan.policy.rules.map(\.name.count).max() ?? 0, 48)
        let rules = byRule.indices.filter { !byRule[$0].isEmpty }.flatMap { index in
            lines(of: byRule[index], plan.policy.rules[index], width: width)
        }
        let notes = notes(byRule)
        return notes.isEmpty ? rules : rules + [""] + notes
    }

    private func lines(of cases: [VerifiedCase], _ rule: ReachabilityRule, width: Int) -> [String] {
        var tally = VerdictTally()
        for verified in cases { tally.add(verified.verdict) }
        let name = TerminalText.clean(rule.name).padded(to: width)
        let place = "\(TerminalText.clean(plan.policy.file)):\(rule.position.line)"
        let head = "\(word(tally))  \(name)  expect \(rule.expectation?.text ?? ""): \(tally.text)  (\(place))"
        let shown = isVerbose ? cases : cases.filter { $0.verdict != .pass || $0.judgment.reason != nil }
        let limit = isVerbose ? shown.count : Self.shownCases
        let rest = shown.count - min(limit, shown.count)
        return [head] + shown.prefix(limit).map(line)
            + (rest > 0 ? ["      and \(rest) more; --verbose shows them all"] : [])
    }

    private func word(_ tally: VerdictTally) -> String {
        switch tally.exitStatus {
        case 0: palette.good("ok  ")
        case 1: palette.bad("FAIL")
        default: palette.pending("????")
        }
    }

    private func line(_ verified: VerifiedCase) -> String {
        let verdict = verified.verdict.rawValue
        let word =
            switch verified.verdict {
            case .pass: palette.good(verdict)
            case .violation: palette.bad(verdict)
            case .error, .inconclusive: palette.pending(verdict)
            }
        let reason = verified.judgment.reason ?? verified.result.outcome.word
        return "      \(word)  \(TerminalText.clean("\(plan.name(of: verified.reachabilityCase))  \(reason)"))"
    }

    private func notes(_ byRule: [[VerifiedCase]]) -> [String] {
        let closed = verdicts.controls.compactMap { state -> String? in
            guard case .notOpen(let target, let outcome) = state else { return nil }
            return "The control \(TerminalText.clean(target)) is not open: \(outcome)."
        }
        return closed + [uncontrolled(byRule), unrepeated].compactMap { $0 }
    }

    private func uncontrolled(_ byRule: [[VerifiedCase]]) -> String? {
        let rules = byRule.indices.filter { index in
            plan.policy.rules[index].expectation == .blocked && plan.policy.rules[index].control == nil
                && byRule[index].contains { $0.verdict == .pass }
        }
        guard !rules.isEmpty else { return nil }
        let subject = rules.count == 1 ? "1 rule expects" : "\(rules.count) rules expect"
        return """
            \(subject) blocked without a control, so a prober without a working network passes too. Add a target that \
            must be open: control: "tcp://host:port".
            """
    }

    private var unrepeated: String? {
        guard repeated.isEmpty else { return nil }
        let count = verdicts.cases.count {
            $0.verdict == .pass && $0.judgment.finding == .blocked && $0.result.outcome == .failed(.timeout)
        }
        guard count > 0 else { return nil }
        return """
            \(count) \(count == 1 ? "case counts" : "cases count") as blocked because nothing answered, and was not \
            repeated. If the target rejects by ICMP, whose rate is limited, use defaults: {retry_timeouts: 1}.
            """
    }
}
