/// One key of the configuration: what it takes, and what docs/configuration.md says about it.
struct SettingKey: Sendable {
    /// With dots between the levels: `limits.queue`.
    let path: String
    let kind: ValueKind
    /// What holds where nothing is said, as the documentation shows it.
    let defaultText: String

    init(_ path: String, _ kind: ValueKind, default defaultText: String = "") {
        self.path = path
        self.kind = kind
        self.defaultText = defaultText
    }

    /// `CONNECTD_LIMITS__QUEUE`. Keys with a structure of their own have none that sets them, but are known by it.
    var environmentName: String {
        "CONNECTD_" + path.uppercased().split(separator: ".").joined(separator: "__")
    }

    /// Whether the environment can set it.
    var isSetByEnvironment: Bool {
        switch kind {
        case .integer, .choice, .list, .file: true
        case .rules, .monitors, .entries, .later: false
        }
    }
}
