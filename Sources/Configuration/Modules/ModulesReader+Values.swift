internal import CheckModel

extension YAMLNode {
    /// `key:` with nothing behind it: as if the key were not there.
    var isEmpty: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.kind == .null
    }
}

// What single nodes hold. What is wrong is reported.
extension ModulesReader {
    /// The entries of a mapping with their paths, those with a known key, each once.
    mutating func keys(of node: YAMLNode, below path: String, known: [String]) -> [(YAMLEntry, String)] {
        var found: [(YAMLEntry, String)] = []
        document.readMapping(node, path: path) { reader, entries in
            reader.forEachKey(entries, below: path, known: known) { _, entry, path in found.append((entry, path)) }
        }
        return found
    }

    /// The entries of a mapping whose keys are names.
    mutating func entries(of node: YAMLNode, path: String) -> [(YAMLEntry, String)] {
        var found: [(YAMLEntry, String)] = []
        document.readMapping(node, path: path) { reader, entries in found = reader.unique(entries, below: path) }
        return found
    }

    mutating func items(of node: YAMLNode, path: String) -> [(YAMLNode, String)] {
        document.items(node, path: path) ?? []
    }

    mutating func text(_ node: YAMLNode, path: String) -> String? {
        document.take(node, path: path) { node throws(ValueRefusal) in
            guard case .scalar(let scalar) = node.content, !node.isEmpty else {
                throw ValueRefusal(sentence: "must be a text, but is \(node.words)")
            }
            return scalar.text
        }
    }

    mutating func boolean(_ node: YAMLNode, path: String) -> Bool? {
        document.take(node, path: path) { node throws(ValueRefusal) in
            guard case .scalar(let scalar) = node.content, scalar.kind == .boolean else {
                throw ValueRefusal(sentence: "must be true or false, but is \(node.words)")
            }
            return ["true", "yes", "on", "y"].contains(scalar.text.lowercased())
        }
    }

    mutating func parsed<Value>(
        _ node: YAMLNode, path: String, _ parse: (String) throws(ValueRefusal) -> Value
    ) -> Value? {
        guard let text = text(node, path: path) else { return nil }
        do throws(ValueRefusal) {
            return try parse(text)
        } catch {
            document.report(error.about(text), at: node.position, path: path)
            return nil
        }
    }
}
