package import AccessPolicy
package import NetworkTypes
package import TLS

/// A setting that is required before the service listens on an address that other machines can reach.
package enum MissingStatement: Hashable, CaseIterable, Sendable {
    /// Tokens, client certificates or `--allow-anonymous`.
    case authentication
    /// A profile or rules.
    case policy

    /// A sentence that says what is missing and how to set it.
    package var message: String {
        switch self {
        case .authentication:
            "No authentication configured: set auth.tokens_file (CONNECTD_AUTH__TOKENS_FILE) or "
                + "https.client_authorities, or pass --allow-anonymous to serve anyone."
        case .policy:
            "No policy configured: set policy.profile (CONNECTD_POLICY__PROFILE: rules, sidecar, internal or public) "
                + "or policy.rules."
        }
    }
}

extension Settings {
    /// The listen addresses that other machines can reach.
    package var exposedAddresses: [ListenAddress] {
        listen.filter { !$0.isLocal }
    }

    /// The settings that are missing before the service may start. Loopback and UNIX-domain sockets need none; other
    /// addresses need authentication and a policy.
    package func missingStatements() -> [MissingStatement] {
        guard !exposedAddresses.isEmpty else { return [] }
        var missing: [MissingStatement] = []
        if tokens.isEmpty, !allowsAnonymous, https?.demandsCertificate != true { missing.append(.authentication) }
        if !statesPolicy { missing.append(.policy) }
        return missing
    }

    /// The message why the service does not start; nil if it may start.
    package var refusalToStart: String? {
        let missing = missingStatements()
        guard !missing.isEmpty else { return nil }
        let addresses = exposedAddresses.map(\.text).joined(separator: ", ")
        return "connectd does not start: other machines can reach \(addresses), and anyone who reaches it can scan "
            + "ports with it. " + missing.map(\.message).joined(separator: " ")
    }

    /// Advice for a container that starts the service as its first process without an address: a published port would not
    /// work. nil in all other cases.
    package func adviceForContainer(process: Int32) -> String? {
        guard process == 1, listen.map(\.text) == [SettingsDraft.defaultListen.text], healthListen.isEmpty else {
            return nil
        }
        return "connectd listens only on the container's loopback, which published ports do not reach. To serve other "
            + "machines, set listen, auth.tokens_file and policy in /etc/connectd/connectd.yaml."
    }
}

/// A client certificate that requests may use.
package struct LentCertificate: Sendable {
    package let certificate: ClientCertificate
    /// The targets that may use it; nil for every target.
    package let targets: [TargetPattern]?
}
