internal import CheckModel

/// What a conversation remembers of its matches.
struct DialogMemory {
    private let dialog: Dialog
    /// Values of the groups that later steps send.
    private(set) var values: [GroupKey: [UInt8]] = [:]
    /// Named groups for the report, in the order in which they matched; a later match of a name replaces its value.
    private(set) var groups: [Label] = []

    init(dialog: Dialog) {
        self.dialog = dialog
    }

    mutating func note(_ ranges: [Range<Int>?], of pattern: PatternGroups, step: Int, in bytes: [UInt8]) {
        for group in dialog.keptGroups[step] ?? [] {
            // A group is never longer than what is kept of unmatched bytes.
            values[GroupKey(step: step, group: group)] = ranges[group].map { Array(bytes[$0]) }
        }
        for named in pattern.names {
            guard let range = ranges[named.number] else { continue }
            let isKnown = groups.contains { $0.name == named.name }
            guard isKnown || groups.count < DialogLimits.namedGroups else { continue }
            groups.removeAll { $0.name == named.name }
            groups.append(Label(name: named.name, value: PrintableBytes.text(bytes[range])))
        }
    }

    /// The labels with what was noted of their step: at most 1 KiB of each.
    func filled(_ labels: [LabelTemplate]) -> [Label] {
        labels.map { label in
            Label(name: label.name, value: PrintableBytes.text((label.value.filled(with: values) ?? [])[...]))
        }
    }
}
