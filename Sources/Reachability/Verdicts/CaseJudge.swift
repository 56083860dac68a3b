package import CheckModel
internal import ErrorCatalogue
package import NetworkTypes

/// Judges the result of one case. It does no I/O.
///
/// A check that could not be tried is an error, whatever the rule expects.
package struct CaseJudge: Sendable {
    private let expectation: RuleExpectation
    private let reader: EvidenceReader
    private let control: ControlState

    package init(_ expectation: RuleExpectation, evidence reader: EvidenceReader, control: ControlState) {
        self.expectation = expectation
        self.reader = reader
        self.control = control
    }

    package func judgment(of result: CheckResult, on target: Target) -> Judgment {
        let attempts = reader.attempts(of: result, on: target)
        var whole = reader.evidence(of: result, on: target)
        if whole.finding == .untested {
            // An address of a family without a route does not hide what happened to the others.
            guard let tested = attempts.first(where: { $0.finding != .untested }) else { return untested(whole) }
            if expectation == .blocked || expectation == .closed { return everyAddress(result, attempts) }
            whole = tested
        }
        switch expectation {
        case .open, .allowed: return reachable(whole)
        case .closed, .blocked: return everyAddress(result, attempts.isEmpty ? [whole] : attempts)
        case .outcomes(let expected): return named(expected, result, whole)
        }
    }

    private func untested(_ evidence: PathEvidence) -> Judgment {
        Judgment(.error, .untested, "could not be tried: \(evidence.detail)")
    }

    private func violation(_ evidence: PathEvidence) -> Judgment {
        Judgment(.violation, evidence.finding, "expected \(expectation.text), got \(evidence.detail)")
    }

    private func reachable(_ evidence: PathEvidence) -> Judgment {
        switch evidence.finding {
        case .open: return Judgment(.pass, evidence.finding)
        case .closed, .reset: return expectation == .allowed ? Judgment(.pass, evidence.finding) : violation(evidence)
        case .silent: return silent(evidence)
        case .unanswered: return expectation == .allowed ? silent(evidence) : violation(evidence)
        case .blocked, .reached: return violation(evidence)
        case .untested: return untested(evidence)
        }
    }

    private func silent(_ evidence: PathEvidence) -> Judgment {
        let advice = "ask something that the target must answer, with a preset or a dialog in check"
        return Judgment(
            .inconclusive, evidence.finding,
            evidence.finding == .silent ? "\(evidence.detail): \(advice)" : evidence.detail)
    }

    private func named(_ expected: Expectation, _ result: CheckResult, _ evidence: PathEvidence) -> Judgment {
        guard expected.isMet(by: result.outcome, fault: result.error?.fault) else { return violation(evidence) }
        if case .not = expected, result.outcome == .associated { return silent(evidence) }
        return Judgment(.pass, evidence.finding)
    }

    /// `closed` and `blocked` are statements about every address of the target.
    private func everyAddress(_ result: CheckResult, _ attempts: [PathEvidence]) -> Judgment {
        let wanted: Finding = expectation == .closed ? .closed : .blocked
        // What got through outweighs everything else.
        let others = attempts.filter { $0.finding != wanted }
        let worst = [Finding.open, .reached, .reset, .closed, .blocked].lazy.compactMap { finding in
            others.first { $0.finding == finding }
        }.first
        if let worst { return violation(worst) }
        if let untried = others.first(where: { $0.finding == .untested }) { return untested(untried) }
        if let silent = others.first { return self.silent(silent) }
        if let missing = missingAddresses(result) { return Judgment(.inconclusive, wanted, missing) }
        let detail = attempts.first?.detail ?? ""
        if expectation == .blocked, case .notOpen(let target, let outcome) = control {
            return Judgment(
                .inconclusive, .blocked,
                """
                \(detail), but the control \(target) is not open (\(outcome)): the prober's own network may be the cause
                """)
        }
        return Judgment(.pass, wanted, attempts.lazy.compactMap(\.note).first)
    }

    private func missingAddresses(_ result: CheckResult) -> String? {
        guard let resolution = result.resolution else { return nil }
        let tried = result.attempts.count
        guard resolution.isTruncated || tried < resolution.addresses.count else { return nil }
        let known = "\(resolution.addresses.count)\(resolution.isTruncated ? " or more" : "")"
        return "only \(tried) of \(known) addresses were tried: write the addresses, or raise timeout_ms"
    }
}
