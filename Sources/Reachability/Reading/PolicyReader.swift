package import Configuration
internal import CheckModel
internal import NetworkTypes

/// Reads the YAML tree of a reachability policy.
package struct PolicyReader {
    var problems: [ConfigurationProblem] = []
    /// Unknown members of check requests. They are reported with the other problems of requests, which are found later.
    var unknownMembers: [ConfigurationProblem] = []
    let needsExpectations: Bool
    let file: String
    /// The names of all members of a check request.
    let checkMembers: [String]
    var setNames: [String: [DestinationEntry]] = [:]
    var defaults = RuleDefaults()

    /// What `defaults` says about every rule.
    struct RuleDefaults {
        var control: Target?
        var labels: [Label] = []
        var resetIsBlock = false
        var check = RuleCheck()
    }

    private enum Key: String, CaseIterable {
        case version, defaults, sets, rules
    }

    private init(file: String, checkMembers: [String], needsExpectations: Bool) {
        self.file = file
        self.checkMembers = checkMembers
        self.needsExpectations = needsExpectations
    }

    /// Reads a policy.
    /// - Parameters:
    ///   - root: the root of the document; nil for an empty one.
    ///   - checkMembers: the names of all members of a check request.
    ///   - needsExpectations: false for `--learn`, which finds them.
    /// - Throws: all problems of the file.
    package static func read(
        _ root: YAMLNode?, file: String, checkMembers: [String], needsExpectations: Bool = true
    ) throws(ConfigurationProblems) -> ReachabilityPolicy {
        var reader = PolicyReader(file: file, checkMembers: checkMembers, needsExpectations: needsExpectations)
        var policy = ReachabilityPolicy(file: file)
        let start = TextPosition(line: 1, column: 1)
        switch root?.content {
        case .mapping(let entries): reader.readDocument(entries, at: root?.position ?? start, into: &policy)
        case nil: reader.report("is empty: write version: 1 and rules", at: start, path: nil)
        case .scalar, .sequence, .refused:
            let kind = root?.words ?? "nothing"
            reader.report(
                "must be a mapping with version and rules, got \(kind)", at: root?.position ?? start, path: nil)
        }
        guard reader.problems.isEmpty else { throw ConfigurationProblems(reader.problems + reader.unknownMembers) }
        policy.unknownMembers = reader.unknownMembers
        return policy
    }

    private mutating func readDocument(
        _ entries: [YAMLEntry], at position: TextPosition, into policy: inout ReachabilityPolicy
    ) {
        // In this order, whatever the order in the file: rules need sets and defaults.
        var found: [Key: YAMLEntry] = [:]
        forEachKey(entries, below: "", known: Key.allCases.map(\.rawValue)) { _, entry, _ in
            if let key = Key(rawValue: entry.key.text) { found[key] = entry }
        }
        if let version = found[.version]?.value {
            if let number = integer(version, in: 0...Int.max, path: "version"), number != ReachabilityPolicy.version {
                report(
                    "must be 1, got \(number): this version of connectd reads version 1", at: version.position,
                    path: "version")
            }
        } else {
            report("is missing the key \"version\": write version: 1", at: position, path: nil)
        }
        if let sets = found[.sets]?.value { policy.sets = readSets(sets) }
        if let node = found[.defaults]?.value { readDefaults(node, into: &policy) }
        if let rules = found[.rules] {
            readRules(rules.value, into: &policy)
        } else {
            report("is missing the key \"rules\": write at least one rule", at: position, path: nil)
        }
    }

    private mutating func readSets(_ node: YAMLNode) -> [NamedSet] {
        guard let entries = mapping(node, path: "sets") else { return [] }
        let names = Set(entries.map(\.key.text))
        var sets: [NamedSet] = []
        for (entry, path) in unique(entries, below: "sets") {
            if !Self.isSetName(entry.key) {
                report(
                    "the name must be 1 to 64 letters, digits, \"_\" or \"-\", beginning with a letter",
                    at: entry.position,
                    path: path)
            }
            let destinations = readSetMembers(entry.value, otherSets: names.subtracting([entry.key.text]), path: path)
            sets.append(NamedSet(name: entry.key.text, entries: destinations))
            setNames[entry.key.text] = destinations
        }
        return sets
    }

    private mutating func readSetMembers(
        _ node: YAMLNode, otherSets: Set<String>, path: String
    ) -> [DestinationEntry] {
        guard let items = items(node, path: path, example: "[\"10.2.0.0/30\"]") else { return [] }
        var destinations: [DestinationEntry] = []
        for (item, itemPath) in items {
            guard let text = text(item, path: itemPath) else { continue }
            if otherSets.contains(text) {
                report(
                    "\(Quote.value(text)) is a set: write its members, because a set cannot contain another set",
                    at: item.position, path: itemPath)
                continue
            }
            do throws(PolicyError) {
                destinations.append(try DestinationEntry(parsing: text))
            } catch {
                report("\(Quote.value(text)) \(error.detail)", at: item.position, path: itemPath)
            }
        }
        return destinations
    }

    /// Neither a host with a domain nor an address can be mistaken for such a name.
    private static func isSetName(_ key: YAMLScalar) -> Bool {
        guard (1...64).contains(key.text.utf8.count), key.text.first?.isLetter == true else { return false }
        return key.text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    }
}
