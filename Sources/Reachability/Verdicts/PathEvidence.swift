internal import CheckModel
internal import ErrorCatalogue
package import NetworkTypes

/// What each address of a result says about the path, and why.
struct PathEvidence {
    let finding: Finding
    /// A phrase about it, such as "the prober has no route to 10.99.1.1 (ENETUNREACH)".
    let detail: String
    /// What a pass does not show, if anything.
    var note: String?
}

/// Derives findings from results.
package struct EvidenceReader: Sendable {
    /// Whether a RST counts as blocked.
    let resetIsBlock: Bool
    /// Whether an address is on a network of one of the prober's own interfaces.
    let isOnLink: @Sendable (IPAddress) -> Bool

    package init(resetIsBlock: Bool, isOnLink: @escaping @Sendable (IPAddress) -> Bool) {
        self.resetIsBlock = resetIsBlock
        self.isOnLink = isOnLink
    }

    /// The evidence of the whole check, as its outcome states it.
    func evidence(of result: CheckResult, on target: Target) -> PathEvidence {
        // The report of a result is the one of its decisive attempt.
        let attempt = result.attempts.first { $0.error == result.error && $0.outcome == result.outcome }
        return evidence(
            outcome: result.outcome, phase: result.phase, error: result.error, attempt: attempt, target: target)
    }

    /// The evidence of each attempt.
    func attempts(of result: CheckResult, on target: Target) -> [PathEvidence] {
        result.attempts.map {
            evidence(outcome: $0.outcome, phase: $0.phase, error: $0.error, attempt: $0, target: target)
        }
    }

    private func evidence(
        outcome: Outcome, phase: Phase, error: ErrorReport?, attempt: AttemptResult?, target: Target
    ) -> PathEvidence {
        switch outcome {
        case .connected, .answered: return PathEvidence(finding: .open, detail: outcome.word)
        case .associated:
            return PathEvidence(
                finding: .silent, detail: "associated: datagram sockets have no handshake, and nothing was asked")
        case .failed: break
        }
        guard let error else { return PathEvidence(finding: .untested, detail: "the check has no result") }
        let found =
            "\(outcome.word) (\(error.name))\(phase == .tls || phase == .dialog ? " in phase \(phase.rawValue)" : "")"
        guard error.fault.isAboutTarget else {
            return PathEvidence(
                finding: .untested, detail: "\(found), a fault of the \(error.fault.rawValue): \(error.hint)")
        }
        guard let attempt else { return PathEvidence(finding: .untested, detail: "\(found), before any attempt") }
        return evidence(of: error, found, phase: phase, attempt: attempt, target: target)
    }

    private func evidence(
        of error: ErrorReport, _ found: String, phase: Phase, attempt: AttemptResult, target: Target
    ) -> PathEvidence {
        let isInternet = attempt.endpoint.internetAddress != nil
        switch error.errorClass {
        case .timeout where target.isDatagram:
            return PathEvidence(
                finding: .unanswered, detail: "\(found): over UDP, a firewall and a silent server look alike")
        case .timeout where phase == .connect && isInternet:
            return PathEvidence(finding: .blocked, detail: found)
        case .unreachable: return unreachable(error, found, attempt)
        case .refused where error.fault == .network: return PathEvidence(finding: .blocked, detail: found)
        case .refused, .reset:
            if resetIsBlock, attempt.icmp == nil, isInternet, !target.isDatagram {
                return PathEvidence(finding: .blocked, detail: "\(found), a RST")
            }
            return PathEvidence(finding: error.errorClass == .refused ? .closed : .reset, detail: found)
        default: return PathEvidence(finding: .reached, detail: found)
        }
    }

    /// An unreachable target is blocked only if an ICMP message says so. Without one, the prober's own routes decided, and
    /// nothing was sent.
    private func unreachable(_ error: ErrorReport, _ found: String, _ attempt: AttemptResult) -> PathEvidence {
        let address = attempt.endpoint.internetAddress
        let name = address?.text ?? "the target"
        guard attempt.icmp != nil else {
            let isMissing = error.name == "ENETUNREACH"
            let cause = isMissing ? "has no route to \(name)" : "has a route that rejects \(name)"
            return PathEvidence(
                finding: .untested,
                detail:
                    "the prober itself \(cause) (\(error.name), without an ICMP message): check its routes with `ip route get \(name)`"
            )
        }
        if attempt.icmpSender == .prober, let address, !isOnLink(address) {
            return PathEvidence(
                finding: .untested,
                detail: "the prober's own next hop to \(name) does not answer (\(error.name)): check its gateway")
        }
        guard attempt.icmpSender == .prober else { return PathEvidence(finding: .blocked, detail: found) }
        return PathEvidence(
            finding: .blocked, detail: found,
            note: "nothing answered ARP or neighbor discovery for \(name), so the host may be down instead of blocked")
    }
}
