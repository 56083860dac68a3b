internal import StrictJSON

extension DocumentReader {
    /// Reads `monitors`, a list of mappings.
    mutating func readMonitors(_ node: YAMLNode, path: String) {
        readMappings(node, path: path) { $0.readMonitor($1, at: $2, path: $3) }
    }

    private mutating func readMonitor(_ entries: [YAMLEntry], at position: TextPosition, path: String) {
        let before = writer.problems.count
        var draft = MonitorDraft()
        forEachKey(entries, below: path, known: MonitorKey.allCases.map(\.rawValue)) { reader, entry, entryPath in
            guard let key = MonitorKey(rawValue: entry.key.text) else { return }
            reader.readMonitorValue(entry.value, of: key, path: entryPath, into: &draft)
        }
        for key in [MonitorKey.name, .check] where !entries.contains(where: { $0.key.text == key.rawValue }) {
            report("is missing the key \"\(key.rawValue)\"", at: position, path: path)
        }
        if writer.problems.count == before, let monitor = draft.finished { writer.draft.add(monitor) }
    }

    private mutating func readMonitorValue(
        _ node: YAMLNode, of key: MonitorKey, path: String, into draft: inout MonitorDraft
    ) {
        switch key {
        case .name: draft.name = monitorName(node, path: path)
        case .required: draft.isRequired = flag(node, path: path)
        case .interval: draft.interval = integer(node, in: MonitorKey.intervalRange, path: path)
        case .upAfter: draft.upAfter = integer(node, in: MonitorKey.countRange, path: path)
        case .downAfter: draft.downAfter = integer(node, in: MonitorKey.countRange, path: path)
        case .check: draft.check = value(node, path: path)
        case .confirm: draft.confirm = confirm(node, path: path)
        }
    }

    private mutating func value(_ node: YAMLNode, path: String) -> ConfiguredCheck {
        var reader = CheckReader()
        let value = reader.value(of: node, pointer: "")
        for problem in reader.problems {
            report(problem.reason, at: problem.position, path: path + problem.keys)
        }
        return ConfiguredCheck(value: value, file: file, path: path, places: reader.places)
    }

    private mutating func confirm(_ node: YAMLNode, path: String) -> ConfirmSettings? {
        var settings = ConfirmSettings()
        readMapping(node, path: path) { reader, entries in
            let known = ConfirmKey.allCases.map(\.rawValue)
            reader.forEachKey(entries, below: path, known: known) { reader, entry, entryPath in
                switch ConfirmKey(rawValue: entry.key.text) {
                case .from: settings.from = reader.value(entry.value, path: entryPath)
                case .ask:
                    settings.ask = reader.integer(entry.value, in: ConfirmKey.range, path: entryPath) ?? settings.ask
                case .agree:
                    let agree = reader.integer(entry.value, in: ConfirmKey.range, path: entryPath)
                    settings.agree = agree ?? settings.agree
                case nil: return
                }
            }
        }
        if settings.agree > settings.ask {
            report(
                "agree must be at most ask, got agree \(settings.agree) and ask \(settings.ask)", at: node.position,
                path: path)
        }
        writer.draft.fleetUsers.append(LocatedText(text: "", source: .file(file, node.position), path: path))
        return settings
    }

    private mutating func monitorName(_ node: YAMLNode, path: String) -> String? {
        guard let text = text(node, path: path) else { return nil }
        guard let name = EntryName.read(text.text.utf8) else {
            report("must be \(EntryName.rule)", at: node.position, path: path)
            return nil
        }
        guard !writer.draft.monitorNames.contains(name) else {
            report("is a duplicate: an earlier monitor has this name", at: node.position, path: path)
            return nil
        }
        return name
    }

    private mutating func flag(_ node: YAMLNode, path: String) -> Bool? {
        take(node, path: path) { node throws(ValueRefusal) in try node.flag() }
    }

    private mutating func integer(_ node: YAMLNode, in range: ClosedRange<Int>, path: String) -> Int? {
        take(node, path: path) { node throws(ValueRefusal) in
            let value = try node.integer()
            guard range.contains(value) else {
                throw ValueRefusal(sentence: "must be from \(range.lowerBound) to \(range.upperBound), got \(value)")
            }
            return value
        }
    }
}

/// A monitor while its keys are read.
private struct MonitorDraft {
    var name: String?
    var isRequired: Bool?
    var interval: Int?
    var upAfter: Int?
    var downAfter: Int?
    var check: ConfiguredCheck?
    var confirm: ConfirmSettings?

    var finished: MonitorSettings? {
        guard let name, let check else { return nil }
        var settings = MonitorSettings(name: name, check: check)
        settings.isRequired = isRequired ?? settings.isRequired
        settings.intervalMilliseconds = interval ?? settings.intervalMilliseconds
        settings.upAfter = upAfter ?? settings.upAfter
        settings.downAfter = downAfter ?? settings.downAfter
        settings.confirm = confirm
        return settings
    }
}
