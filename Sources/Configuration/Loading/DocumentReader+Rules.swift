internal import CheckModel

extension DocumentReader {
    /// `policy.rules`: a list of mappings.
    mutating func readRules(_ node: YAMLNode, path: String) {
        readMappings(node, path: path) { $0.readRule($1, at: $2, path: $3) }
    }

    private mutating func readRule(_ entries: [YAMLEntry], at position: TextPosition, path: String) {
        let before = writer.problems.count
        var draft = RuleDraft()
        forEachKey(entries, below: path, known: RuleKey.allCases.map(\.rawValue)) { reader, entry, entryPath in
            guard let key = RuleKey(rawValue: entry.key.text) else { return }
            draft.places[key] = entry.value.position
            reader.readRuleValue(entry.value, of: key, path: entryPath, into: &draft)
        }
        let rule = draft.finished { reason, key in
            let keyPath = key.map { "\(path).\($0.rawValue)" } ?? path
            report(reason, at: key.flatMap { draft.places[$0] } ?? position, path: keyPath)
        }
        if let rule, writer.problems.count == before { writer.draft.rules.append(rule) }
    }

    private mutating func readRuleValue(_ node: YAMLNode, of key: RuleKey, path: String, into draft: inout RuleDraft) {
        switch key {
        case .action:
            draft.action = parsed(node, path: path, PolicyTexts.action)
        case .cidr, .path, .host:
            draft.subjects[key] = text(node, path: path)?.text
        case .ports:
            draft.ports = list(node, path: path) { reader, item, itemPath in reader.ports(item, path: itemPath) }
        case .transports:
            draft.transports = list(node, path: path) { reader, item, itemPath in
                reader.parsed(item, path: itemPath, PolicyTexts.transport)
            }
        }
    }

    /// A port may be a number or a text; only a text can be a range.
    private mutating func ports(_ node: YAMLNode, path: String) -> PortRange? {
        guard case .scalar(let scalar) = node.content, case .integer(let port) = scalar.kind else {
            return parsed(node, path: path, PolicyTexts.ports)
        }
        return take(node, path: path) { _ throws(ValueRefusal) in try PolicyTexts.ports(String(port)) }
    }

    private mutating func parsed<Value>(
        _ node: YAMLNode, path: String, _ parse: (String) throws(ValueRefusal) -> Value
    ) -> Value? {
        guard let text = text(node, path: path) else { return nil }
        do {
            return try parse(text.text)
        } catch {
            writer.report(text.problem(error.about(text.text)))
            return nil
        }
    }

    /// The items that could be read; nil where nothing could, so that it is not said twice that there is none.
    private mutating func list<Value>(
        _ node: YAMLNode, path: String, _ read: (inout DocumentReader, YAMLNode, String) -> Value?
    ) -> [Value]? {
        guard let items = items(node, path: path) else { return nil }
        var values: [Value] = []
        for (item, itemPath) in items {
            if let value = read(&self, item, itemPath) { values.append(value) }
        }
        return values.isEmpty && !items.isEmpty ? nil : values
    }
}
