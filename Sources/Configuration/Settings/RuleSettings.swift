package import CheckModel

/// One rule of the policy.
package struct RuleSettings: Hashable, Sendable {
    package enum Action: String, CaseIterable, Sendable {
        case allow, deny
    }

    /// What the rule is about.
    package enum Subject: Hashable, Sendable {
        case addresses(AddressRange)
        /// A pattern of UNIX paths, or with `@` before it of abstract names.
        case path(String)
        /// A pattern of host names; only in rules that deny.
        case host(String)
    }

    package var action: Action
    package var subject: Subject
    /// Empty for every port. Always empty for paths.
    package var ports: [ClosedRange<UInt16>] = []
    /// Never empty; tcp and udp, or unix for paths.
    package var transports: Set<Transport>
}
