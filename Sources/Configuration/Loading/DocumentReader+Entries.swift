internal import AccessPolicy
internal import NetworkTypes

extension DocumentReader {
    /// Reads `md5_keys: {bgp: {file: bgp.key}}` and similar mappings.
    mutating func readEntries(_ node: YAMLNode, of kind: EntryKind, path: String) {
        readMapping(node, path: path) { reader, entries in
            for (entry, entryPath) in reader.unique(entries, below: path) {
                reader.readEntry(entry, of: kind, path: entryPath)
            }
        }
    }

    private mutating func readEntry(_ entry: YAMLEntry, of kind: EntryKind, path: String) {
        guard entry.key.kind == .string else {
            report("the name is not a string in YAML: put it in quotes", at: entry.position, path: path)
            return
        }
        guard let name = EntryName.read(entry.key.text.utf8) else {
            report("the name must be \(EntryName.rule)", at: entry.position, path: path)
            return
        }
        switch kind {
        case .md5Keys:
            let files = readFiles(["file"], of: entry, kind: kind, path: path)
            if let file = files["file"] { writer.draft.md5KeyFiles.append((name, file)) }
        case .authorities:
            let files = readFiles(["file"], of: entry, kind: kind, path: path)
            if let file = files["file"] { writer.draft.authorityFiles.append((name, file)) }
        case .clientCertificates:
            let before = writer.problems.count
            let files = readFiles(["certificate", "key"], of: entry, kind: kind, path: path)
            let targets = readTargets(of: entry, path: path)
            guard writer.problems.count == before, let certificate = files["certificate"], let key = files["key"] else {
                return
            }
            writer.draft.clientCertificateFiles.append(
                ClientCertificateFiles(name: name, certificate: certificate, key: key, targets: targets))
        }
    }

    /// The files of an entry by their keys, all of which are required.
    private mutating func readFiles(
        _ keys: [String], of entry: YAMLEntry, kind: EntryKind, path: String
    ) -> [String: FileReference] {
        var files: [String: FileReference] = [:]
        readMapping(entry.value, path: path) { reader, entries in
            for key in keys where !entries.contains(where: { $0.key.text == key }) {
                reader.report("is missing the key \"\(key)\"", at: entry.position, path: path)
            }
            reader.forEachKey(entries, below: path, known: kind.keys) { reader, file, filePath in
                guard keys.contains(file.key.text), let text = reader.text(file.value, path: filePath) else { return }
                files[file.key.text] = reader.writer.fileReference(text, key: filePath, folder: reader.folder)
            }
        }
        return files
    }

    /// Reads `targets`, if present, and reports its problems.
    private mutating func readTargets(of entry: YAMLEntry, path: String) -> [TargetPattern]? {
        guard case .mapping(let entries) = entry.value.content,
            let list = entries.first(where: { $0.key.text == "targets" })
        else { return nil }
        let listPath = "\(path).targets"
        let texts = texts(list.value, path: listPath)
        if case .sequence(let items) = list.value.content, items.isEmpty {
            report("must not be empty: omit it to allow every target", at: list.value.position, path: listPath)
        }
        var patterns: [TargetPattern] = []
        for text in texts {
            do throws(PolicyRuleError) {
                patterns.append(try TargetPattern(parsing: text.text))
            } catch {
                writer.report(text.problem(ValueRefusal(sentence: error.detail).about(text.text)))
            }
        }
        return patterns
    }
}

extension DocumentReader {
    /// Reads `policy.rules`, a list of mappings.
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
            draft.action = parsed(node, path: path, PolicyParsing.action)
        case .cidr, .path, .host:
            draft.subjects[key] = text(node, path: path)?.text
        case .ports:
            draft.ports = list(node, path: path) { reader, item, itemPath in reader.ports(item, path: itemPath) }
        case .transports:
            draft.transports = list(node, path: path) { reader, item, itemPath in
                reader.parsed(item, path: itemPath, PolicyParsing.transport)
            }
        }
    }

    /// A port may be a number or a string; only a string can be a range.
    private mutating func ports(_ node: YAMLNode, path: String) -> PortRange? {
        guard case .scalar(let scalar) = node.content, case .integer(let port) = scalar.kind else {
            return parsed(node, path: path, PolicyParsing.ports)
        }
        return take(node, path: path) { _ throws(ValueRefusal) in try PolicyParsing.ports(String(port)) }
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

    /// The valid items; nil if no item is valid, so that the empty list is not reported again.
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

/// A rule while its keys are read.
struct RuleDraft {
    var action: PolicyRule.Action?
    /// The values of `cidr`, `path` and `host`.
    var subjects: [RuleKey: String] = [:]
    var ports: [PortRange]?
    var transports: [Transport]?
    /// The positions of the values of all keys that are present.
    var places: [RuleKey: TextPosition] = [:]

    /// Validates the rule as a whole. Reports problems with their keys.
    func finished(_ report: (String, RuleKey?) -> Void) -> PolicyRule? {
        if places[.action] == nil { report("is missing the key \"action\" (allow or deny)", nil) }
        // A subject with an invalid value is already reported, so the rule cannot be judged.
        let hasUnreadSubject = [RuleKey.cidr, .path, .host].contains { places[$0] != nil && subjects[$0] == nil }
        guard !hasUnreadSubject else { return nil }
        do throws(PolicyRuleError) {
            // Without an action the rest is judged as a deny rule, which may have every key.
            return try PolicyRule(
                action: action ?? .deny, cidr: subjects[.cidr], path: subjects[.path], host: subjects[.host],
                ports: ports, transports: transports.map(Set.init))
        } catch {
            report(ValueRefusal(sentence: error.detail).reason, error.member.map(Self.key))
            return nil
        }
    }

    private static func key(_ member: PolicyRuleError.Member) -> RuleKey {
        switch member {
        case .cidr: .cidr
        case .path: .path
        case .host: .host
        case .ports: .ports
        case .transports: .transports
        }
    }
}
