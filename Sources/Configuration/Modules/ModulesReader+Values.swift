internal import CheckModel

extension YAMLNode {
    /// `key:` with nothing after it: as if the key were not there.
    var isEmpty: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.isNull
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
        // Go leaves out items that are null.
        (document.items(node, path: path) ?? []).filter { !$0.0.isEmpty }
    }

    mutating func bytes(_ node: YAMLNode, path: String) -> [UInt8]? {
        document.take(node, path: path) { node throws(ValueRefusal) in
            guard case .scalar(let scalar) = node.content, !node.isEmpty else {
                throw ValueRefusal(sentence: "must be a text, but is \(node.words)")
            }
            return try scalar.goBytes()
        }
    }

    mutating func text(_ node: YAMLNode, path: String) -> String? {
        guard let bytes = bytes(node, path: path) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            document.report("must be UTF-8 text, but its bytes are not", at: node.position, path: path)
            return nil
        }
        return text
    }

    mutating func boolean(_ node: YAMLNode, path: String) -> Bool? {
        document.take(node, path: path) { node throws(ValueRefusal) in
            guard case .scalar(let scalar) = node.content else {
                throw ValueRefusal(sentence: "must be true or false, but is \(node.words)")
            }
            return try scalar.goBoolean()
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
