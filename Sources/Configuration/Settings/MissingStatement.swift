package import AccessPolicy
package import NetworkTypes
package import TLS

/// A setting that is required before other machines can ask for checks, at a listen address or over the fleet.
package enum MissingStatement: Hashable, CaseIterable, Sendable {
    /// Tokens, client certificates or `--allow-anonymous`; for the fleet, credentials at its broker too.
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

    /// Whether this instance runs checks for other places of a fleet, which is exposure as a reachable address is.
    package var answersFleet: Bool { fleet?.answers == true }

    /// The settings that are missing before the service may start. Loopback and UNIX-domain sockets need none; other
    /// addresses need authentication and a policy, and so does a fleet that this instance answers.
    package func missingStatements() -> [MissingStatement] {
        guard !exposedAddresses.isEmpty || answersFleet else { return [] }
        var missing: [MissingStatement] = []
        if !statesWhoMayAsk { missing.append(.authentication) }
        if !statesPolicy { missing.append(.policy) }
        return missing
    }

    private var statesWhoMayAsk: Bool {
        if !tokens.isEmpty || allowsAnonymous || https?.demandsCertificate == true { return true }
        // Only clients that the broker knows reach an instance that needs credentials there.
        return exposedAddresses.isEmpty && fleet?.provesIdentity == true
    }

    /// The message why the service does not start; nil if it may start.
    package var refusalToStart: String? {
        let missing = missingStatements()
        guard !missing.isEmpty else { return nil }
        return "connectd does not start: \(exposure), and anyone who reaches it can scan ports with it. "
            + missing.map(message(of:)).joined(separator: " ")
    }

    private var exposure: String {
        let addresses = exposedAddresses.map(\.text).joined(separator: ", ")
        guard answersFleet else { return "other machines can reach \(addresses)" }
        let fleet = "other machines can reach it through the fleet (fleet.answers is true)"
        return addresses.isEmpty ? fleet : "\(fleet) and at \(addresses)"
    }

    private func message(of missing: MissingStatement) -> String {
        guard missing == .authentication, exposedAddresses.isEmpty else { return missing.message }
        return "No authentication configured: set fleet.credentials or another way to log in to the broker, or pass "
            + "--allow-anonymous to serve anyone at the broker; or set fleet.answers to false to only ask."
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
