public import NetworkTypes

/// The decision of a policy about one address or path, and what made it.
public struct PolicyDecision: Hashable, Sendable {
    public let verdict: Verdict
    /// The rule that decided, as an index from 0; nil if the profile or a hard denial decided.
    public let rule: Int?
    /// The IPv4 address inside an IPv6 address, if that one was denied.
    public let embedded: IPAddress?

    init(allowedBy rule: Int?) {
        verdict = .allow
        self.rule = rule
        embedded = nil
    }

    package init(denial reason: DenialReason, embedded: IPAddress? = nil) {
        verdict = .deny(reason)
        if case .rule(let index) = reason { rule = index } else { rule = nil }
        self.embedded = embedded
    }
}

extension PolicyRule {
    /// The rule in one line: `allow 10.0.0.0/8, ports 5432 and 8000-8999, tcp`.
    public var text: String {
        let ports = ports.map { (ports: [PortRange]) in
            let isOne = ports.count == 1 && ports.allSatisfy { $0.first == $0.last }
            return (isOne ? "port " : "ports ") + Self.list(ports.map(\.text))
        }
        let transports = transports.map { Self.list($0.map(\.rawValue).sorted()) }
        return (["\(action.rawValue) \(matcher.text)"] + [ports, transports].compactMap(\.self)).joined(separator: ", ")
    }

    private static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}

extension PolicyRule.Matcher {
    fileprivate var text: String {
        switch self {
        case .addresses(let range): range.text
        case .path(let pattern): pattern.text
        case .host(let pattern): pattern.text
        }
    }
}

extension PortRange {
    /// `5432` or `8000-8999`.
    public var text: String { first == last ? "\(first)" : "\(first)-\(last)" }
}
