import AccessPolicy
import NetworkTypes

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

/// The keys of one element of `policy.rules`.
enum RuleKey: String, CaseIterable {
    case action, cidr, path, host, ports, transports
}

/// The keys that are mappings from names of the user's choice; requests use the names.
enum EntryKind: Sendable {
    case md5Keys, authorities, clientCertificates

    /// The keys of one entry.
    var keys: [String] {
        switch self {
        case .md5Keys, .authorities: ["file"]
        case .clientCertificates: ["certificate", "key", "targets"]
        }
    }

    /// What one entry is, for the documentation.
    var words: String {
        switch self {
        case .md5Keys, .authorities: "`{file: …}`"
        case .clientCertificates: "`{certificate: …, key: …, targets: […]}`"
        }
    }
}

/// Names that a Host header may carry.
enum HostName {
    /// In small letters, without a trailing dot.
    static func read(_ text: String) throws(ValueRefusal) -> String {
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        guard IPAddress(parsing: name) == nil else {
            throw ValueRefusal("is an address; a Host header may always contain one")
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy(isLabel), let last = labels.last, !last.allSatisfy(\.isNumber)
        else {
            throw ValueRefusal("is not a host name: write it without scheme and port")
        }
        return name.lowercased()
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// The texts that keys of the policy hold.
enum PolicyTexts {
    static func option(_ text: String) throws(ValueRefusal) -> PolicySettings.Option {
        try word(text)
    }

    static func action(_ text: String) throws(ValueRefusal) -> PolicyRule.Action {
        try word(text)
    }

    static func transport(_ text: String) throws(ValueRefusal) -> Transport {
        try word(text)
    }

    static func nat64Prefix(_ text: String) throws(ValueRefusal) -> NAT64Prefix {
        do throws(AddressRangeError) {
            return try NAT64Prefix(AddressRange(parsing: text))
        } catch {
            throw ValueRefusal(sentence: error.detail)
        }
    }

    static func ports(_ text: String) throws(ValueRefusal) -> PortRange {
        do throws(PolicyRuleError) {
            return try PortRange(parsing: text)
        } catch {
            throw ValueRefusal(sentence: error.detail)
        }
    }

    private static func word<Value: RawRepresentable<String> & CaseIterable>(
        _ text: String
    ) throws(ValueRefusal) -> Value {
        guard let value = Value(rawValue: text) else { throw .noneOf(Value.allCases.map(\.rawValue)) }
        return value
    }
}
