package import CheckModel

/// What requests may reach and use, as the configuration says it.
package struct PolicySettings: Sendable {
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

    /// What decides where no rule matches.
    package var profile: Policy.Profile
    package var dialogs: Dialogs
    package var options: Set<Option>
    /// The first that matches decides.
    package var rules: [PolicyRule] = []
    /// Beside 64:ff9b::/96 and 64:ff9b:1::/48, which are always known.
    package var nat64Prefixes: [NAT64Prefix] = []

    /// The policy for a service that listens on these ports and UNIX-domain sockets: known once it listens, since port 0
    /// leaves the choice to the kernel.
    package func policy(
        ownPorts: Set<UInt16>, ownPaths: Set<UnixAddress>, ownFiles: Set<FileIdentity> = []
    ) -> Policy {
        Policy(
            profile: profile, rules: rules, nat64Prefixes: nat64Prefixes, ownPorts: ownPorts, ownPaths: ownPaths,
            ownFiles: ownFiles)
    }
}
