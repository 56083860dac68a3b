internal import CheckModel

/// One rule while its keys are read.
struct RuleDraft {
    var action: RuleSettings.Action?
    var subjects: [RuleSettings.Subject] = []
    var ports: [ClosedRange<UInt16>] = []
    var transports: [Transport] = []
    /// The keys that are there, with the places of their values.
    var places: [RuleKey: TextPosition] = [:]

    /// The rule, if nothing is wrong with it; each problem is reported with the key that it is about.
    func finished(_ report: (String, RuleKey?) -> Void) -> RuleSettings? {
        let before = subjects.count
        guard let action, before == 1, let subject = subjects.first else {
            reportMissing(report)
            return nil
        }
        switch subject {
        case .addresses: return rule(action, subject)
        case .host:
            guard action == .deny else {
                report("rules on host names only deny; allow their addresses by cidr", .host)
                return nil
            }
            return rule(action, subject)
        case .path:
            let misplaced = [RuleKey.ports, .transports].filter { places[$0] != nil }
            for key in misplaced { report("has no meaning beside path", key) }
            return misplaced.isEmpty
                ? RuleSettings(action: action, subject: subject, transports: [.unix]) : nil
        }
    }

    private func rule(_ action: RuleSettings.Action, _ subject: RuleSettings.Subject) -> RuleSettings {
        RuleSettings(
            action: action, subject: subject, ports: ports,
            transports: transports.isEmpty ? [.tcp, .udp] : Set(transports))
    }

    /// A key that is there, but wrong, was reported where it was read.
    private func reportMissing(_ report: (String, RuleKey?) -> Void) {
        if places[.action] == nil { report("lacks the key \"action\" (allow or deny)", nil) }
        let present = [RuleKey.cidr, .path, .host].filter { places[$0] != nil }
        if present.isEmpty { report("says not what it is about: cidr, path or host", nil) }
        if present.count > 1 {
            report("has \(present.map(\.rawValue).joined(separator: " and ")); a rule has one of them", nil)
        }
    }
}
