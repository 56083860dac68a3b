import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Reachability
import Testing

/// Reads a policy from text.
func policy(_ text: String, needsExpectations: Bool = true) throws -> ReachabilityPolicy {
    let root = try YAMLDocument.compose(Array(text.utf8), file: "policy.yaml")
    return try PolicyReader.read(
        root, file: "policy.yaml", checkMembers: checkMembers, needsExpectations: needsExpectations)
}

/// Some members of a check request.
let checkMembers = [
    "target", "id", "labels", "timeout_ms", "resolve", "bind", "socket", "tls", "dialog", "expect",
]

/// A policy of one rule, `version: 1` and `sets` included.
func rulePolicy(_ rule: String) throws -> ReachabilityPolicy {
    try policy("version: 1\nsets: {db: [db1.internal, 10.2.0.0/30]}\nrules:\n  - \(rule)\n")
}

/// The problems of a policy; empty if it is valid.
func problems(_ text: String) -> [ConfigurationProblem] {
    do {
        return try policy(text).unknownMembers
    } catch let problems as ConfigurationProblems {
        return problems.problems
    } catch {
        Issue.record("\(error)")
        return []
    }
}

/// Cases of a policy with the results that a function gives.
func verified(
    _ policy: ReachabilityPolicy, _ event: (ReachabilityCase) -> Event
) -> [VerifiedCase] {
    policy.cases().map { tested in
        let result = TestResult.result(event(tested), on: tested.target)
        let rule = policy.rules[tested.rule]
        return VerifiedCase(
            tested, result, judge(rule, rule.expectation ?? .open).judgment(of: result, on: tested.target))
    }
}

func judge(_ rule: ReachabilityRule, _ expectation: RuleExpectation) -> CaseJudge {
    CaseJudge(
        expectation, evidence: EvidenceReader(resetIsBlock: rule.resetIsBlock) { _ in true }, control: .none)
}

/// What happened in one attempt of a check.
enum Event: Hashable, Sendable {
    case connected, associated, answered
    /// An error of the kernel in a phase, with the sender of an ICMP message that caused it.
    case errno(String, Phase = .connect, icmp: ICMPSender? = nil, code: UInt8 = 13)
    case deadline(Phase = .connect)
    case own(OwnError, Phase)
}

/// Results as the engine makes them: the classifier decides class and fault.
enum TestResult {
    static let address = IPAddress.v4(IPv4Address(bits: 0x0A02_0001))

    static func result(_ event: Event, on target: Target) -> CheckResult {
        result([event], on: target)
    }

    /// - Parameter events: one for each address of the target.
    /// - Parameter known: how many addresses the name has.
    static func result(_ events: [Event], on target: Target, known: Int? = nil) -> CheckResult {
        let attempts = events.enumerated().map { attempt($1, number: $0, on: target) }
        // As the engine chooses: a success, else the first attempt.
        let decisive = attempts.first(where: \.outcome.isSuccess) ?? attempts[0]
        let addresses = (0..<(known ?? events.count)).map { IPAddress.v4(IPv4Address(bits: 0x0A02_0001 + UInt32($0))) }
        return CheckResult(
            ok: decisive.outcome.isSuccess, outcome: decisive.outcome, phase: decisive.phase, error: decisive.error,
            attempts: decisive.error?.source == .resolver ? [] : attempts,
            resolution: Resolution(name: "db1.internal", addresses: addresses, source: .dns), timings: Timings(),
            startedAtNanoseconds: 0)
    }

    private static func attempt(_ event: Event, number: Int, on target: Target) -> AttemptResult {
        let address = IPAddress.v4(IPv4Address(bits: 0x0A02_0001 + UInt32(number)))
        let endpoint: Endpoint =
            if case .unix(_, let path) = target.peer { .unix(path) } else {
                .ip(IPEndpoint(address: address, port: 22))
            }
        var attempt = AttemptResult(endpoint: endpoint, outcome: .connected, phase: .done, startNanoseconds: 0)
        var circumstances = Circumstances(phase: .connect, transport: Circumstances.Transport(target.peer))
        circumstances.destination = address
        switch event {
        case .connected: return attempt
        case .associated: attempt.outcome = .associated
        case .answered: attempt.outcome = .answered
        case .errno(let name, let phase, let sender, let code):
            circumstances.phase = phase
            if let sender {
                attempt.icmp = ICMPMessage(family: .ipv4, type: 3, code: code, from: address)
                attempt.icmpSender = sender
                circumstances.icmp = attempt.icmp
                circumstances.icmpSender = sender
            }
            guard let errno = ErrnoCatalogue.entry(named: name)?.errno else {
                preconditionFailure("\(name) is not an errno")
            }
            attempt.fail(Classifier.report(for: errno, in: circumstances), phase)
        case .deadline(let phase):
            circumstances.phase = phase
            attempt.fail(Classifier.deadlineReport(in: circumstances), phase)
        case .own(let error, let phase): attempt.fail(Classifier.report(for: error), phase)
        }
        return attempt
    }
}

extension AttemptResult {
    fileprivate mutating func fail(_ report: ErrorReport, _ phase: Phase) {
        error = report
        outcome = .failed(report.errorClass)
        self.phase = phase
    }
}
