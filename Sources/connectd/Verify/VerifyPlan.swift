import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import Reachability
import StrictJSON

/// The checks of a reachability policy: one for each case, and one for each control.
struct VerifyPlan {
    /// A control target with the options that it is checked with.
    struct Control {
        let target: Target
        let check: PreparedCheck
    }

    let policy: ReachabilityPolicy
    let cases: [ReachabilityCase]
    /// The check of each case.
    let checks: [PreparedCheck]
    /// Each distinct control once.
    private(set) var controls: [Control] = []
    /// The control of each rule, by its index in `controls`.
    private(set) var controlOfRule: [Int?] = []

    /// - Throws: all problems of the requests, with their positions in the file.
    init(_ policy: ReachabilityPolicy, in context: CheckContext) throws(ConfigurationProblems) {
        self.policy = policy
        cases = policy.cases()
        var decoder = CaseDecoder(policy: policy, context: context)
        var checks: [PreparedCheck] = []
        checks.reserveCapacity(cases.count)
        for tested in cases {
            if let check = decoder.check(of: tested) { checks.append(check) }
        }
        self.checks = checks
        var numbers: [String: Int] = [:]
        for index in policy.rules.indices {
            guard let target = policy.rules[index].control, let check = decoder.control(target, rule: index) else {
                controlOfRule.append(nil)
                continue
            }
            let key = "\(target.text) \(policy.rules[index].check.connectionMembers)"
            if numbers[key] == nil {
                numbers[key] = controls.count
                controls.append(Control(target: target, check: check))
            }
            controlOfRule.append(numbers[key])
        }
        guard decoder.problems.isEmpty else { throw ConfigurationProblems(decoder.problems) }
    }

    /// The longest timeout of all checks, in milliseconds.
    var longestTimeout: Int { checks.lazy.map(\.request.timeoutMilliseconds).max() ?? 0 }

    /// Whether a check tries several addresses at once.
    var usesManyAddresses: Bool { checks.contains { $0.request.resolve.addresses != .first } }
}

/// Decodes the request of a rule once for each kind of target, because patterns are slow to compile.
private struct CaseDecoder {
    private struct Key: Hashable {
        let rule: Int
        let transport: Transport
        let impliesTLS: Bool
        let socketType: UnixSocketType?

        init(_ rule: Int, _ target: Target) {
            self.rule = rule
            transport = target.transport
            impliesTLS = target.impliesTLS
            socketType = if case .unix(let type, _) = target.peer { type } else { nil }
        }
    }

    let policy: ReachabilityPolicy
    let context: CheckContext
    private(set) var problems: [ConfigurationProblem] = []
    private var templates: [Key: PreparedCheck?] = [:]

    init(policy: ReachabilityPolicy, context: CheckContext) {
        self.policy = policy
        self.context = context
    }

    /// nil for a problem.
    mutating func check(of tested: ReachabilityCase) -> PreparedCheck? {
        let key = Key(tested.rule, tested.target)
        let rule = policy.rules[tested.rule]
        if templates[key] == nil {
            templates[key] = .some(decode(rule.check, tested.target, rule: tested.rule))
        }
        guard let known = templates[key], let template = known else { return nil }
        var request = template.request
        request.target = tested.target
        request.labels = rule.labels.isEmpty ? nil : rule.labels
        return PreparedCheck(request: request, dialog: template.dialog)
    }

    /// The check of a control has the timeout, name server, source and socket options of the rule, but not its dialog.
    mutating func control(_ target: Target, rule index: Int) -> PreparedCheck? {
        decode(policy.rules[index].check.forConnection, target, rule: index)
    }

    private mutating func decode(_ check: RuleCheck, _ target: Target, rule index: Int) -> PreparedCheck? {
        let (decoded, found) = ConfiguredCheckDecoder.decode(
            check.request(for: target.text), material: context.tls, md5Keys: context.md5Keys.keys)
        for problem in found {
            let described = check.problem(
                problem, file: policy.file, rule: "rules[\(index)]", at: policy.rules[index].position)
            // The same member of `defaults` may be wrong for many rules.
            if !problems.contains(described) { problems.append(described) }
        }
        return decoded
    }
}

extension RuleCheck {
    private static let connectionNames: Set<String> = ["timeout_ms", "resolve", "bind", "socket"]

    /// Only the members that say how to connect.
    fileprivate var forConnection: RuleCheck { filtered { Self.connectionNames.contains($0) } }

    /// Equal texts mean equal options.
    fileprivate var connectionMembers: String { "\(forConnection.members)" }
}
