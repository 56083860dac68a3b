internal import CheckModel
internal import Configuration
internal import StrictJSON

extension PolicyReader {
    private enum PaceKey: String, CaseIterable {
        case timeoutRetries = "retry_timeouts"
        case concurrency
        case perHost = "per_host"
        case ratePerSecond = "rate_per_second"
    }

    private enum RuleKey: String, CaseIterable {
        case control, labels
        case resetIsBlock = "rst_is_block"
    }

    /// Reads `defaults`: the pace, some keys of rules, and members of the check request.
    mutating func readDefaults(_ node: YAMLNode, into policy: inout ReachabilityPolicy) {
        guard let entries = mapping(node, path: "defaults") else { return }
        var rest: [YAMLEntry] = []
        for (entry, path) in unique(entries, below: "defaults") {
            if let key = PaceKey(rawValue: entry.key.text) {
                readPace(entry.value, of: key, path: path, into: &policy.pace)
            } else if let key = RuleKey(rawValue: entry.key.text) {
                switch key {
                case .control: defaults.control = readControl(entry.value, path: path)
                case .labels: defaults.labels = readLabels(entry.value, path: path)
                case .resetIsBlock: defaults.resetIsBlock = flag(entry.value, path: path) ?? false
                }
            } else {
                rest.append(entry)
            }
        }
        let members = YAMLNode(content: .mapping(rest), position: node.position)
        let others = PaceKey.allCases.map(\.rawValue) + RuleKey.allCases.map(\.rawValue)
        defaults.check = readCheck(members, path: "defaults", otherKeys: others)
        policy.defaults = defaults.check
    }

    private mutating func readPace(_ node: YAMLNode, of key: PaceKey, path: String, into pace: inout PolicyPace) {
        switch key {
        case .timeoutRetries: pace.timeoutRetries = integer(node, in: 0...3, path: path)
        case .concurrency: pace.concurrency = integer(node, in: 1...65_536, path: path)
        case .perHost: pace.perHost = integer(node, in: 1...65_536, path: path)
        case .ratePerSecond: pace.ratePerSecond = integer(node, in: 1...1_000_000, path: path)
        }
    }

    mutating func readLabels(_ node: YAMLNode, path: String) -> [Label] {
        guard let entries = mapping(node, path: path) else { return [] }
        return unique(entries, below: path).compactMap { entry, entryPath in
            text(entry.value, path: entryPath).map { Label(name: entry.key.text, value: $0) }
        }
    }

    /// Labels with the same name are replaced.
    func merge(_ labels: [Label], into earlier: [Label]) -> [Label] {
        let names = Set(labels.map(\.name))
        return earlier.filter { !names.contains($0.name) } + labels
    }

    /// Reads members of a check request. The decoder of requests validates their values later.
    /// - Parameter otherKeys: the keys that may be next to them.
    mutating func readCheck(_ node: YAMLNode, path: String, otherKeys: [String] = []) -> RuleCheck {
        guard let entries = mapping(node, path: path) else { return RuleCheck() }
        var reader = CheckReader()
        let value = reader.value(of: YAMLNode(content: .mapping(entries), position: node.position), pointer: "")
        for problem in reader.problems { report(problem.reason, at: problem.position, path: path + problem.keys) }
        let known = otherKeys + checkMembers.filter { Self.reserved[$0] == nil }
        for entry in entries {
            let entryPath = "\(path).\(entry.key.text)"
            if let reason = Self.reserved[entry.key.text] {
                report(reason, at: entry.position, path: entryPath)
            } else if !known.contains(entry.key.text) {
                unknownMembers.append(unknown(entry, path: entryPath, known: known))
            }
        }
        guard case .object(let object) = value else { return RuleCheck() }
        return RuleCheck(object, places: reader.places, path: path).filtered { checkMembers.contains($0) }
    }

    /// Members of a request that the rule itself has.
    private static let reserved = [
        "target": "belongs to \"to\" of the rule: remove it here",
        "expect": "belongs to the rule: write it next to \"to\"",
        "labels": "belongs to the rule: write it next to \"to\"",
        "id": "is not used here: give the rule a name",
    ]
}
