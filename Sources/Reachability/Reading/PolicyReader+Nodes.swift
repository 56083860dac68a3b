internal import Configuration

/// Readers of nodes. Each returns nil for a problem, which it reports.
extension PolicyReader {
    mutating func report(_ reason: String, at position: TextPosition, path: String?) {
        problems.append(ConfigurationProblem(.file(file, position), path: path, reason: reason))
    }

    /// Calls the body for each known key; reports unknown and duplicate keys.
    mutating func forEachKey(
        _ entries: [YAMLEntry], below path: String, known: [String],
        _ body: (inout PolicyReader, YAMLEntry, String) -> Void
    ) {
        for (entry, entryPath) in unique(entries, below: path) {
            if known.contains(entry.key.text) {
                body(&self, entry, entryPath)
            } else {
                problems.append(unknown(entry, path: entryPath, known: known))
            }
        }
    }

    func unknown(_ entry: YAMLEntry, path: String, known: [String]) -> ConfigurationProblem {
        let suggestion = Suggestion.phrase(for: entry.key.text, among: known)
        return ConfigurationProblem(
            .file(file, entry.position), path: path,
            reason: "is not a known key\(suggestion): use \(known.joined(separator: ", "))")
    }

    /// The entries with their paths, without duplicates, which are reported.
    mutating func unique(_ entries: [YAMLEntry], below path: String) -> [(YAMLEntry, String)] {
        var lines: [String: Int] = [:]
        var result: [(YAMLEntry, String)] = []
        for entry in entries {
            let entryPath = path.isEmpty ? entry.key.text : "\(path).\(entry.key.text)"
            if let line = lines[entry.key.text] {
                report("is a duplicate of the key in line \(line): remove one", at: entry.position, path: entryPath)
            } else {
                lines[entry.key.text] = entry.position.line
                result.append((entry, entryPath))
            }
        }
        return result
    }

    mutating func mapping(_ node: YAMLNode, path: String) -> [YAMLEntry]? {
        switch node.content {
        case .mapping(let entries): return entries
        case .refused: return nil
        case .scalar, .sequence:
            report("must be a mapping, got \(node.words)", at: node.position, path: path)
            return nil
        }
    }

    /// The items of a list that is not empty.
    /// - Parameter example: such a list, for the message.
    mutating func items(_ node: YAMLNode, path: String, example: String) -> [(YAMLNode, String)]? {
        switch node.content {
        case .sequence(let items) where items.isEmpty:
            report("must not be empty: write at least one entry, such as \(example)", at: node.position, path: path)
            return nil
        case .sequence(let items): return items.enumerated().map { ($1, "\(path)[\($0)]") }
        case .refused: return nil
        case .scalar, .mapping:
            report("must be a list such as \(example), got \(node.words)", at: node.position, path: path)
            return nil
        }
    }

    mutating func text(_ node: YAMLNode, path: String) -> String? {
        take(node, path: path) { node throws(ValueRefusal) in try node.text() }
    }

    mutating func flag(_ node: YAMLNode, path: String) -> Bool? {
        take(node, path: path) { node throws(ValueRefusal) in try node.flag() }
    }

    mutating func integer(_ node: YAMLNode, in range: ClosedRange<Int>, path: String) -> Int? {
        take(node, path: path) { node throws(ValueRefusal) in
            let value = try node.integer()
            guard range.contains(value) else {
                throw ValueRefusal(sentence: "must be from \(range.lowerBound) to \(range.upperBound), got \(value)")
            }
            return value
        }
    }

    private mutating func take<Value>(
        _ node: YAMLNode, path: String, _ read: (YAMLNode) throws(ValueRefusal) -> Value
    ) -> Value? {
        if case .refused = node.content { return nil }
        do throws(ValueRefusal) {
            return try read(node)
        } catch {
            report(error.reason, at: node.position, path: path)
            return nil
        }
    }
}
