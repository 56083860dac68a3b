import CheckModel
import ErrorCatalogue
import NetworkTypes
import Reachability
import SocketIO

/// The verdicts of a run.
struct VerifyVerdicts {
    /// The cases with a result, in the order of the file.
    let cases: [VerifiedCase]
    /// Cases without a result, because the run was interrupted.
    let unfinished: [ReachabilityCase]
    /// The state of each control of the plan; `none` for one that no verdict depends on.
    let controls: [ControlState]
    let tally: VerdictTally

    init(_ plan: VerifyPlan, _ findings: VerifySession.Findings, networks: [AddressRange]) {
        let states = plan.controls.indices.map { index in
            guard findings.neededControls.contains(index) else { return ControlState.none }
            return Self.state(of: plan.controls[index].target, findings.before[index], findings.after[index])
        }
        let suspects = Set(TimeoutRepetition.suspects(in: findings.results)).subtracting(findings.repeated)
        controls = states
        var cases: [VerifiedCase] = []
        var unfinished: [ReachabilityCase] = []
        var tally = VerdictTally()
        for (index, tested) in plan.cases.enumerated() {
            guard let result = findings.results[index] else {
                unfinished.append(tested)
                continue
            }
            let rule = plan.policy.rules[tested.rule]
            // Only a file for --learn has rules without an expectation, and it shows no verdicts.
            let judge = Self.judge(
                of: rule, rule.expectation ?? .open,
                control: plan.control(of: tested).map { states[$0] } ?? .none,
                // The networks of another place are not known, so no address counts as one of them.
                networks: tested.place == nil ? networks : [])
            var judgment = judge.judgment(of: result, on: tested.target)
            if suspects.contains(index) { judgment = judgment.doubted }
            tally.add(judgment.verdict)
            cases.append(VerifiedCase(tested, result, judgment))
        }
        self.cases = cases
        self.unfinished = unfinished
        self.tally = tally
    }

    /// - Parameter networks: the networks of the prober's interfaces.
    static func judge(
        of rule: ReachabilityRule, _ expectation: RuleExpectation, control: ControlState, networks: [AddressRange]
    ) -> CaseJudge {
        let reader = EvidenceReader(resetIsBlock: rule.resetIsBlock) { address in
            networks.contains { $0.contains(address) }
        }
        return CaseJudge(expectation, evidence: reader, control: control)
    }

    private static func state(of target: Target, _ before: CheckResult?, _ after: CheckResult?) -> ControlState {
        for (result, time) in [(before, "before the cases"), (after, "after the cases")] {
            guard let result else { return .notOpen(target: target.text, outcome: "not checked \(time)") }
            if !result.outcome.isSuccess {
                let name = result.error.map { " (\($0.name))" } ?? ""
                return .notOpen(target: target.text, outcome: "\(result.outcome.word)\(name) \(time)")
            }
        }
        return .open
    }
}

extension Judgment {
    /// The judgment of a timeout that rate-limited ICMP may have caused.
    fileprivate var doubted: Judgment {
        guard verdict == .pass, finding == .blocked else { return self }
        return Judgment(
            .inconclusive, finding,
            """
            it timed out, but the target rejects other ports by ICMP, whose rate is limited: repeat the timeouts with \
            defaults: {retry_timeouts: 1}
            """)
    }
}
