internal import AccessPolicy
internal import NetworkTypes

/// One key of the configuration: its kind and default.
struct SettingKey: Sendable {
    /// The levels, separated by dots: `limits.queue`.
    let path: String
    let kind: ValueKind
    /// The default, as in the documentation.
    let defaultText: String

    init(_ path: String, _ kind: ValueKind, default defaultText: String = "") {
        self.path = path
        self.kind = kind
        self.defaultText = defaultText
    }

    /// `CONNECTD_LIMITS__QUEUE`. For keys with nested structure it only serves to report that the file must set them.
    var environmentName: String {
        "CONNECTD_" + path.uppercased().split(separator: ".").joined(separator: "__")
    }

    /// Whether the environment can set it.
    var isSetByEnvironment: Bool {
        switch kind {
        case .integer, .choice, .list, .flag, .text, .file: true
        case .rules, .monitors, .entries, .labels: false
        }
    }
}

/// The keys of one element of `policy.rules`.
enum RuleKey: String, CaseIterable {
    case action, cidr, path, host, ports, transports
}

/// The keys with user-defined names, which requests use.
enum EntryKind: Sendable {
    case md5Keys, authorities, clientCertificates

    /// The keys of one entry.
    var keys: [String] {
        switch self {
        case .md5Keys, .authorities: ["file"]
        case .clientCertificates: ["certificate", "key", "targets"]
        }
    }

    /// A description of one entry, for the documentation.
    var words: String {
        switch self {
        case .md5Keys, .authorities: "`{file: …}`"
        case .clientCertificates: "`{certificate: …, key: …, targets: […]}`"
        }
    }
}

/// Parses names for the Host header.
enum HostName {
    /// The name in lowercase, without a trailing dot; an IDN in its ASCII form.
    static func read(_ text: String) throws(ValueRefusal) -> String {
        let ascii = try asciiForm(of: text)
        let name = ascii.hasSuffix(".") ? String(ascii.dropLast()) : ascii
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

    private static func asciiForm(of text: String) throws(ValueRefusal) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        do throws(TargetError) {
            return try InternationalName.ascii(text)
        } catch {
            throw ValueRefusal("is not a host name: \(error.detail)")
        }
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

/// Parses the strings of the policy keys.
enum PolicyParsing {
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
