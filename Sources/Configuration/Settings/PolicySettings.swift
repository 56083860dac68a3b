package import CheckModel

/// What requests may reach and use, as the configuration says it.
package struct PolicySettings: Hashable, Sendable {
    /// What decides where no rule matches.
    package enum Profile: String, CaseIterable, Sendable {
        case rules, sidecar, `internal`, `public`
    }

    /// Which dialogs a request may bring.
    package enum Dialogs: String, CaseIterable, Sendable {
        case any, configured
        /// No dialog at all.
        case none
    }

    /// What a request may use beside its target.
    package enum Option: String, CaseIterable, Sendable {
        case bind, interface, mark, md5
    }

    package var profile: Profile
    package var dialogs: Dialogs
    package var options: Set<Option>
    /// The first that matches decides.
    package var rules: [RuleSettings] = []
    /// Beside 64:ff9b::/96 and 64:ff9b:1::/48, which are always known.
    package var nat64Prefixes: [NAT64Prefix] = []
}
