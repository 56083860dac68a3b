internal import CheckModel
internal import Configuration
internal import NetworkTypes

extension PolicyReader {
    private enum RuleKey: String, CaseIterable {
        case name, from, to, ports, expect, control, labels, check
        case resetIsBlock = "rst_is_block"
    }

    private static let longestText = 1024

    mutating func readRules(_ node: YAMLNode, into policy: inout ReachabilityPolicy) {
        guard
            let items = items(
                node, path: "rules", example: "[{name: db, to: [db.internal], ports: [5432], expect: open}]")
        else { return }
        var lines: [String: Int] = [:]
        for (index, (item, path)) in items.enumerated() {
            guard let entries = mapping(item, path: path) else { continue }
            let rule = readRule(entries, number: index + 1, at: item.position, path: path)
            if let line = lines[rule.name] {
                report(
                    "is a duplicate of the rule in line \(line): give each rule its own name", at: rule.position,
                    path: "\(path).name")
            }
            lines[rule.name] = rule.position.line
            policy.rules.append(rule)
        }
        checkCount(of: policy.rules, at: node.position)
    }

    private mutating func readRule(
        _ entries: [YAMLEntry], number: Int, at position: TextPosition, path: String
    ) -> ReachabilityRule {
        var rule = ReachabilityRule(name: "rule \(number)", position: position)
        rule.control = defaults.control
        rule.labels = defaults.labels
        rule.resetIsBlock = defaults.resetIsBlock
        rule.check = defaults.check
        var found: [RuleKey: YAMLNode] = [:]
        forEachKey(entries, below: path, known: RuleKey.allCases.map(\.rawValue)) { reader, entry, entryPath in
            guard let key = RuleKey(rawValue: entry.key.text) else { return }
            found[key] = entry.value
            reader.readValue(entry, of: key, path: entryPath, into: &rule)
        }
        if let to = found[.to] {
            rule.destinations = readDestinations(to, hasPorts: found[.ports] != nil, path: "\(path).to")
        } else {
            report("is missing the key \"to\": write to: [host]", at: position, path: path)
        }
        if needsExpectations, found[.expect] == nil {
            report("is missing the key \"expect\": write open, allowed, closed or blocked", at: position, path: path)
        }
        return rule
    }

    private mutating func readValue(
        _ entry: YAMLEntry, of key: RuleKey, path: String, into rule: inout ReachabilityRule
    ) {
        let node = entry.value
        switch key {
        case .name:
            guard let name = text(node, path: path) else { return }
            if name.isEmpty || name.count > Self.longestText {
                report("must have 1 to \(Self.longestText) characters", at: node.position, path: path)
            }
            rule.name = name
        case .from:
            guard items(node, path: path, example: "[fra1]") != nil else { return }
            var reader = CheckReader()
            let value = reader.value(of: node, pointer: "")
            for problem in reader.problems {
                report(problem.reason, at: problem.position, path: path + problem.keys)
            }
            rule.from = RuleOrigin(value: value, path: path, position: entry.position, places: reader.places)
        case .to: break
        case .ports: rule.ports = readPorts(node, path: path)
        case .expect: rule.expectation = readExpectation(node, path: path)
        case .control: rule.control = readControl(node, path: path)
        case .labels: rule.labels = merge(readLabels(node, path: path), into: rule.labels)
        case .resetIsBlock: rule.resetIsBlock = flag(node, path: path) ?? false
        case .check: rule.check = rule.check.merging(readCheck(node, path: path))
        }
    }

    private mutating func readDestinations(_ node: YAMLNode, hasPorts: Bool, path: String) -> [RuleDestination] {
        guard let items = items(node, path: path, example: "[db.internal]") else { return [] }
        var destinations: [RuleDestination] = []
        for (item, itemPath) in items {
            guard let text = text(item, path: itemPath) else { continue }
            do throws(PolicyError) {
                let entries = try entries(named: text)
                destinations.append(RuleDestination(text: text, entries: entries, position: item.position))
                if let flaw = Self.flaw(in: entries, hasPorts: hasPorts) { throw flaw }
            } catch {
                report("\(Quote.value(text)) \(error.detail)", at: item.position, path: itemPath)
            }
        }
        return destinations
    }

    private func entries(named text: String) throws(PolicyError) -> [DestinationEntry] {
        if let entries = setNames[text] { return entries }
        let entry = try DestinationEntry(parsing: text)
        // A host of one label is more often the name of a set with a typing error.
        guard case .host(.name(let name)) = entry, !name.contains("."), name.lowercased() != "localhost" else {
            return [entry]
        }
        let suggestion = Suggestion.phrase(for: name, among: setNames.keys.sorted())
        throw PolicyError(
            "is not a set\(suggestion): define it under sets, for example \(name): [\(name)] for the host of that name")
    }

    private static func flaw(in entries: [DestinationEntry], hasPorts: Bool) -> PolicyError? {
        if hasPorts, let target = entries.first(where: \.isTarget) {
            return PolicyError(
                "has a port of its own (\(target.text)): write it in a rule without ports, or write only its host")
        }
        if !hasPorts, entries.contains(where: { !$0.isTarget }) {
            return PolicyError("has no port: add ports to the rule, for example ports: [443]")
        }
        return nil
    }

    private mutating func readPorts(_ node: YAMLNode, path: String) -> [PortRange] {
        guard let items = items(node, path: path, example: "[443]") else { return [] }
        var ports: [PortRange] = []
        for (item, itemPath) in items {
            do throws(PolicyError) {
                if case .scalar(let scalar) = item.content, case .integer(let number) = scalar.kind {
                    ports.append(try PortRange(number: number))
                } else if let text = text(item, path: itemPath) {
                    ports.append(try PortRange(parsing: text))
                }
            } catch {
                var shown = ""
                if case .scalar(let scalar) = item.content { shown = Quote.value(scalar.text) }
                report("\(shown) \(error.detail)", at: item.position, path: itemPath)
            }
        }
        return ports
    }

    private mutating func readExpectation(_ node: YAMLNode, path: String) -> RuleExpectation? {
        var texts: [String] = []
        var isList = false
        if case .sequence = node.content {
            guard let items = items(node, path: path, example: "[refused, timeout]") else { return nil }
            isList = true
            for (item, itemPath) in items {
                guard let text = text(item, path: itemPath) else { return nil }
                if RuleExpectation.words.contains(text) {
                    report(
                        "\(Quote.value(text)) cannot be in a list: write expect: \(text), or a list of outcomes",
                        at: item.position, path: itemPath)
                    return nil
                }
                texts.append(text)
            }
        } else {
            guard let text = text(node, path: path) else { return nil }
            texts = [text]
        }
        do throws(PolicyError) {
            return isList ? try RuleExpectation(anyOf: texts) : try RuleExpectation(parsing: texts[0])
        } catch {
            report("\(Quote.value(texts.joined(separator: ", "))) \(error.detail)", at: node.position, path: path)
            return nil
        }
    }

    /// A control must be able to prove that it is open, which a datagram socket cannot without a question.
    mutating func readControl(_ node: YAMLNode, path: String) -> Target? {
        guard let text = text(node, path: path) else { return nil }
        do throws(TargetError) {
            let target = try Target(parsing: text)
            guard !target.isDatagram || target.impliesQUIC else {
                report(
                    "\(Quote.value(text)) cannot show that it is open, because datagram sockets have no handshake: write a TCP or quic:// target",
                    at: node.position, path: path)
                return nil
            }
            return target
        } catch {
            report("\(Quote.value(text)) is not a target: \(error.detail)", at: node.position, path: path)
            return nil
        }
    }
}
