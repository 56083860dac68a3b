/// Reads the YAML tree of a configuration file by the key table.
struct DocumentReader {
    var writer: SettingWriter
    /// The name of the file for messages.
    let file: String
    /// The directory of the file with a trailing slash; empty for the working directory.
    let folder: String

    init(_ writer: SettingWriter, file: String) {
        self.writer = writer
        self.file = file
        folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    }

    mutating func read(_ root: YAMLNode) {
        switch root.content {
        case .scalar(let scalar) where scalar.kind == .null: return
        case .mapping(let entries): readSection(entries, below: "")
        case .refused: return
        case .scalar, .sequence: report("must be a mapping, got \(root.words)", at: root.position, path: nil)
        }
    }

    private mutating func readSection(_ entries: [YAMLEntry], below path: String) {
        forEachKey(entries, below: path, known: KeyTable.words(below: path)) { reader, entry, entryPath in
            if let key = KeyTable.key(at: entryPath) {
                reader.readValue(entry.value, of: key, at: entry.position)
            } else {
                if entryPath == FleetDraft.section { reader.noteFleet(at: entry.position) }
                reader.readMapping(entry.value, path: entryPath) { $0.readSection($1, below: entryPath) }
            }
        }
    }

    private mutating func readValue(_ node: YAMLNode, of key: SettingKey, at position: TextPosition) {
        if case .refused = node.content { return }
        switch key.kind {
        case .integer(let range, let place):
            take(node, path: key.path) { node throws(ValueRefusal) in try node.integer() }.map {
                writer.write($0, in: range, to: place, of: located("\($0)", node, key.path))
            }
        case .choice(let words, let store):
            text(node, path: key.path).map { writer.write(choice: $0, of: words, by: store) }
        case .file(let place):
            text(node, path: key.path).map { writer.write(file: $0, key: key.path, folder: folder, to: place) }
        case .list(let kind):
            let before = writer.problems.count
            let texts = texts(node, path: key.path)
            guard writer.problems.count == before || !texts.isEmpty else { return }
            writer.write(list: texts, of: kind, origin: located("", node, key.path))
        case .rules:
            readRules(node, path: key.path)
        case .entries(let kind):
            readEntries(node, of: kind, path: key.path)
        case .monitors:
            readMonitors(node, path: key.path)
        case .labels:
            readLabels(node, path: key.path)
        case .flag(let place):
            take(node, path: key.path) { node throws(ValueRefusal) in try node.flag() }.map {
                writer.draft[keyPath: place] = $0
            }
        case .text(let kind):
            text(node, path: key.path).map { writer.write(text: $0, of: kind) }
        }
    }

    private mutating func noteFleet(at position: TextPosition) {
        writer.draft.fleet.note(LocatedText(text: "", source: .file(file, position), path: nil))
    }
}

extension DocumentReader {
    mutating func report(_ reason: String, at position: TextPosition, path: String?) {
        writer.report(ConfigurationProblem(.file(file, position), path: path, reason: reason))
    }

    func located(_ text: String, _ node: YAMLNode, _ path: String) -> LocatedText {
        LocatedText(text: text, source: .file(file, node.position), path: path)
    }

    /// Calls the body for each known key; reports unknown and duplicate keys.
    mutating func forEachKey(
        _ entries: [YAMLEntry], below path: String, known: [String],
        _ body: (inout DocumentReader, YAMLEntry, String) -> Void
    ) {
        for (entry, entryPath) in unique(entries, below: path) {
            if known.contains(entry.key.text) {
                body(&self, entry, entryPath)
            } else {
                let suggestion = Suggestion.phrase(for: entry.key.text, among: known)
                report("is not a known key\(suggestion)", at: entry.position, path: entryPath)
            }
        }
    }

    /// The entries with their paths, without duplicates, which are reported.
    mutating func unique(_ entries: [YAMLEntry], below path: String) -> [(YAMLEntry, String)] {
        var lines: [String: Int] = [:]
        var result: [(YAMLEntry, String)] = []
        for entry in entries {
            let entryPath = path.isEmpty ? entry.key.text : "\(path).\(entry.key.text)"
            if let line = lines[entry.key.text] {
                report("is a duplicate of the key in line \(line)", at: entry.position, path: entryPath)
            } else {
                lines[entry.key.text] = entry.position.line
                result.append((entry, entryPath))
            }
        }
        return result
    }

    mutating func readMapping(_ node: YAMLNode, path: String, _ body: (inout DocumentReader, [YAMLEntry]) -> Void) {
        switch node.content {
        case .mapping(let entries): body(&self, entries)
        case .refused: return
        case .scalar, .sequence:
            report("must be a mapping, got \(node.words)", at: node.position, path: path)
        }
    }

    /// Calls the body for each element of a list of mappings, with its position and path.
    mutating func readMappings(
        _ node: YAMLNode, path: String, _ body: (inout DocumentReader, [YAMLEntry], TextPosition, String) -> Void
    ) {
        for (item, itemPath) in items(node, path: path) ?? [] {
            readMapping(item, path: itemPath) { body(&$0, $1, item.position, itemPath) }
        }
    }

    mutating func take<Value>(
        _ node: YAMLNode, path: String, _ read: (YAMLNode) throws(ValueRefusal) -> Value
    ) -> Value? {
        if case .refused = node.content { return nil }
        do {
            return try read(node)
        } catch {
            report(error.reason, at: node.position, path: path)
            return nil
        }
    }

    mutating func text(_ node: YAMLNode, path: String) -> LocatedText? {
        take(node, path: path) { node throws(ValueRefusal) in try node.text() }.map { located($0, node, path) }
    }

    /// The items of a list; nil for anything else, which is reported.
    mutating func items(_ node: YAMLNode, path: String) -> [(YAMLNode, String)]? {
        switch node.content {
        case .sequence(let items): return items.enumerated().map { ($1, "\(path)[\($0)]") }
        case .refused: return nil
        case .scalar, .mapping:
            report("must be a list, got \(node.words)", at: node.position, path: path)
            return nil
        }
    }

    mutating func texts(_ node: YAMLNode, path: String) -> [LocatedText] {
        var texts: [LocatedText] = []
        for (item, itemPath) in items(node, path: path) ?? [] {
            if let text = text(item, path: itemPath) { texts.append(text) }
        }
        return texts
    }
}
