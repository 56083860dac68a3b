import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import Reachability
import StrictJSON

/// The checks of a reachability policy: one for each case, and one for each control.
struct VerifyPlan: CheckSource {
    /// A control target with the options that it is checked with.
    struct Control {
        let target: Target
        let check: PreparedCheck
        /// Where it is checked; nil for here.
        let place: PlaceName?
        /// The body of `POST /v1/checks`.
        let body: [UInt8]
    }

    let policy: ReachabilityPolicy
    let cases: [ReachabilityCase]
    /// Each distinct control once.
    let controls: [Control]
    /// What asks the places of rules with `from`; nil if no rule has it.
    let fleet: (any FleetAsking)?
    /// The control of each rule in each of its places, by its index in `controls`.
    private let controlNumbers: [RulePlace: Int]
    private let templates: [CaseTemplates.Key: PreparedCheck]

    /// A rule, by its index, in one of its places.
    private struct RulePlace: Hashable {
        let rule: Int
        let place: PlaceName?
    }

    /// - Parameters:
    ///   - places: the places of each rule; one nil for a rule that is checked from here.
    ///   - fleet: asks them; nil if no rule has `from`.
    /// - Throws: all problems of the requests, with their positions in the file.
    init(
        _ policy: ReachabilityPolicy, in context: CheckContext, places: [[PlaceName?]], fleet: (any FleetAsking)?
    ) throws(ConfigurationProblems) {
        self.policy = policy
        self.fleet = fleet
        try Self.checkCount(policy, places)
        cases = policy.cases().flatMap { tested in places[tested.rule].map { tested.checked(at: $0) } }
        var decoder = CaseTemplates(policy: policy, context: context)
        for tested in cases { decoder.add(tested) }
        var controls: [Control] = []
        var controlNumbers: [RulePlace: Int] = [:]
        var numbers: [String: Int] = [:]
        for (index, rule) in policy.rules.enumerated() {
            guard let target = rule.control, let check = decoder.control(target, rule: index) else { continue }
            for place in places[index] {
                let key = "\(target.text) \(place?.text ?? "") \(rule.check.forConnection.members)"
                if numbers[key] == nil {
                    numbers[key] = controls.count
                    let body = Self.body(rule.check.forConnection, target, check.request)
                    controls.append(Control(target: target, check: check, place: place, body: body))
                }
                controlNumbers[RulePlace(rule: index, place: place)] = numbers[key]
            }
        }
        let problems = policy.unknownMembers + decoder.problems
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        self.controls = controls
        self.controlNumbers = controlNumbers
        templates = decoder.templates
    }

    var count: Int { cases.count }

    func check(at index: Int) -> PreparedCheck {
        let tested = cases[index]
        guard let template = templates[CaseTemplates.Key(tested)] else {
            // `init` made a template for each case, or threw.
            preconditionFailure("no template for \(tested.target.text)")
        }
        var request = template.request
        request.target = tested.target
        let labels = policy.rules[tested.rule].labels
        request.labels = labels.isEmpty ? nil : labels
        return PreparedCheck(request: request, dialog: template.dialog)
    }

    /// A file has as many cases as destinations and ports, times the places.
    private static func checkCount(
        _ policy: ReachabilityPolicy, _ places: [[PlaceName?]]
    ) throws(ConfigurationProblems) {
        let most = ReachabilityPolicy.caseLimit
        let count = policy.cases().reduce(0) { min($0 + places[$1.rule].count, most + 1) }
        guard count > most else { return }
        let reason = "has more than \(most) cases in all places: use fewer places, or split the file"
        throw ConfigurationProblems([ConfigurationProblem(.file(policy.file, nil), reason: reason)])
    }

    func place(at index: Int) -> PlaceName? { cases[index].place }

    func body(at index: Int) -> [UInt8] { body(at: index, of: check(at: index).request) }

    /// The body of `POST /v1/checks` for a case, with the timeout of this request.
    func body(at index: Int, of request: CheckRequest) -> [UInt8] {
        Self.body(policy.rules[cases[index].rule].check, cases[index].target, request)
    }

    /// The members of the rule, with the two that the plan changes.
    private static func body(_ check: RuleCheck, _ target: Target, _ request: CheckRequest) -> [UInt8] {
        guard case .object(let object) = check.request(for: target.text) else { return [] }
        var members = object.members.filter { !["timeout_ms", "resolve"].contains($0.key) }
        var resolve: [JSONObject.Member] = []
        if case .object(let written)? = object["resolve"] { resolve = written.members }
        if request.resolve.addresses == .all {
            resolve.removeAll { $0.key == "addresses" }
            resolve.append(.init(key: "addresses", value: .string("all")))
        }
        if !resolve.isEmpty { members.append(.init(key: "resolve", value: .object(JSONObject(members: resolve)))) }
        members.append(.init(key: "timeout_ms", value: .integer(Int64(request.timeoutMilliseconds))))
        var writer = JSONWriter()
        writer.value(.object(JSONObject(members: members)))
        return writer.finish()
    }

    /// The control of a case, by its index in `controls`.
    func control(of tested: ReachabilityCase) -> Int? {
        controlNumbers[RulePlace(rule: tested.rule, place: tested.place)]
    }

    /// The controls of a rule in all of its places.
    func controls(ofRule rule: Int) -> [Int] {
        controlNumbers.filter { $0.key.rule == rule }.map(\.value)
    }

    /// The longest timeout of all checks, in milliseconds.
    var longestTimeout: Int { templates.values.lazy.map(\.request.timeoutMilliseconds).max() ?? 0 }

    /// Whether a check tries several addresses at once.
    var usesManyAddresses: Bool { templates.values.contains { $0.request.resolve.addresses != .first } }
}

/// Decodes the request of a rule once for each kind of target, because patterns are slow to compile.
private struct CaseTemplates {
    struct Key: Hashable {
        private let rule: Int
        private let transport: Transport
        private let impliesTLS: Bool
        private let impliesQUIC: Bool
        private let socketType: UnixSocketType?

        init(_ tested: ReachabilityCase) {
            rule = tested.rule
            transport = tested.target.transport
            impliesTLS = tested.target.impliesTLS
            impliesQUIC = tested.target.impliesQUIC
            socketType = if case .unix(let type, _) = tested.target.peer { type } else { nil }
        }
    }

    let policy: ReachabilityPolicy
    let context: CheckContext
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var templates: [Key: PreparedCheck] = [:]
    /// Kinds of targets that have a template or a problem.
    private var known: Set<Key> = []

    init(policy: ReachabilityPolicy, context: CheckContext) {
        self.policy = policy
        self.context = context
    }

    mutating func add(_ tested: ReachabilityCase) {
        let key = Key(tested)
        guard known.insert(key).inserted else { return }
        let rule = policy.rules[tested.rule]
        guard let decoded = decode(rule.check, tested.target, rule: tested.rule) else { return }
        guard Self.triesEveryAddress(rule, decoded) else { return templates[key] = decoded }
        var request = decoded.request
        request.resolve.addresses = .all
        templates[key] = PreparedCheck(request: request, dialog: decoded.dialog)
    }

    /// `closed` and `blocked` are statements about every address of a name. At once, each address has the whole timeout;
    /// in turn, a share of it could be too short for a slow path.
    private static func triesEveryAddress(_ rule: ReachabilityRule, _ decoded: PreparedCheck) -> Bool {
        guard rule.expectation == .blocked || rule.expectation == .closed else { return false }
        return decoded.request.resolve.addresses == .first && !rule.check.choosesAddresses
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

    /// Whether it says how the addresses of a name are tried.
    fileprivate var choosesAddresses: Bool {
        members.contains { member in
            guard member.key == "resolve", case .object(let resolve) = member.value else { return false }
            return resolve["addresses"] != nil
        }
    }
}
