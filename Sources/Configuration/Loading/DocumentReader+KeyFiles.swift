extension DocumentReader {
    /// `md5_keys: {bgp: {file: bgp.key}}`.
    mutating func readKeyFiles(_ node: YAMLNode, path: String) {
        readMapping(node, path: path) { reader, entries in
            for (entry, entryPath) in reader.unique(entries, below: path) {
                reader.readKeyFile(entry, path: entryPath)
            }
        }
    }

    private mutating func readKeyFile(_ entry: YAMLEntry, path: String) {
        guard entry.key.kind == .string else {
            report("the name is no text to YAML: put it in quotes", at: entry.position, path: path)
            return
        }
        guard let name = EntryName.read(entry.key.text.utf8) else {
            report("the name has to be \(EntryName.rule)", at: entry.position, path: path)
            return
        }
        readMapping(entry.value, path: path) { reader, entries in
            if !entries.contains(where: { $0.key.text == "file" }) {
                reader.report("lacks the key \"file\"", at: entry.position, path: path)
            }
            reader.forEachKey(entries, below: path, known: ["file"]) { reader, file, filePath in
                guard let text = reader.text(file.value, path: filePath) else { return }
                guard let reference = reader.writer.fileReference(text, key: filePath, folder: reader.folder) else {
                    return
                }
                reader.writer.draft.md5KeyFiles.append((name, reference))
            }
        }
    }
}
