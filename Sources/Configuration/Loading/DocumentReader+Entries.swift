internal import CheckModel

extension DocumentReader {
    /// `md5_keys: {bgp: {file: bgp.key}}` and its like.
    mutating func readEntries(_ node: YAMLNode, of kind: EntryKind, path: String) {
        readMapping(node, path: path) { reader, entries in
            for (entry, entryPath) in reader.unique(entries, below: path) {
                reader.readEntry(entry, of: kind, path: entryPath)
            }
        }
    }

    private mutating func readEntry(_ entry: YAMLEntry, of kind: EntryKind, path: String) {
        guard entry.key.kind == .string else {
            report("the name is no text to YAML: put it in quotes", at: entry.position, path: path)
            return
        }
        guard let name = EntryName.read(entry.key.text.utf8) else {
            report("the name has to be \(EntryName.rule)", at: entry.position, path: path)
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

    /// The files that an entry names, by their keys; each of the keys has to be there.
    private mutating func readFiles(
        _ keys: [String], of entry: YAMLEntry, kind: EntryKind, path: String
    ) -> [String: FileReference] {
        var files: [String: FileReference] = [:]
        readMapping(entry.value, path: path) { reader, entries in
            for key in keys where !entries.contains(where: { $0.key.text == key }) {
                reader.report("lacks the key \"\(key)\"", at: entry.position, path: path)
            }
            reader.forEachKey(entries, below: path, known: kind.keys) { reader, file, filePath in
                guard keys.contains(file.key.text), let text = reader.text(file.value, path: filePath) else { return }
                files[file.key.text] = reader.writer.fileReference(text, key: filePath, folder: reader.folder)
            }
        }
        return files
    }

    /// `targets`, where it is there; what is wrong with it is reported.
    private mutating func readTargets(of entry: YAMLEntry, path: String) -> [TargetPattern]? {
        guard case .mapping(let entries) = entry.value.content,
            let list = entries.first(where: { $0.key.text == "targets" })
        else { return nil }
        let listPath = "\(path).targets"
        let texts = texts(list.value, path: listPath)
        if case .sequence(let items) = list.value.content, items.isEmpty {
            report("must not be empty: leave it out for every target", at: list.value.position, path: listPath)
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
