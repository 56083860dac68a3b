package import AccessPolicy
package import NetworkTypes
package import TLS

/// What has to be said before the service listens where others reach it.
package enum MissingStatement: Hashable, CaseIterable, Sendable {
    /// Who may ask.
    case who
    /// What they may reach.
    case what

    /// What is missing and how to give it, one sentence.
    package var message: String {
        switch self {
        case .who:
            "No authentication configured: set auth.tokens_file (CONNECTD_AUTH__TOKENS_FILE) or "
                + "https.client_authorities, or pass --allow-anonymous to serve anyone."
        case .what:
            "No policy configured: set policy.profile (CONNECTD_POLICY__PROFILE: rules, sidecar, internal or public) "
                + "or policy.rules."
        }
    }
}

extension Settings {
    /// The addresses on which others than this machine reach the service.
    package var exposedAddresses: [ListenAddress] {
        listen.filter { !$0.isLocal }
    }

    /// What is missing before the service may start: nothing on loopback and UNIX-domain sockets alone; otherwise both who
    /// may ask and what they may reach have to be said.
    package func openness() -> [MissingStatement] {
        guard !exposedAddresses.isEmpty else { return [] }
        var missing: [MissingStatement] = []
        if tokens.isEmpty, !allowsAnonymous, https?.demandsCertificate != true { missing.append(.who) }
        if !statesPolicy { missing.append(.what) }
        return missing
    }

    /// Why the service does not start, for people; nil where it may.
    package var refusalToStart: String? {
        let missing = openness()
        guard !missing.isEmpty else { return nil }
        let addresses = exposedAddresses.map(\.text).joined(separator: ", ")
        return "connectd does not start: other machines can reach \(addresses), and anyone who reaches it can scan "
            + "ports with it. " + missing.map(\.message).joined(separator: " ")
    }

    /// What to tell those who start the service as a container's first process and give it no address: they publish a port,
    /// and nothing answers there. Nil for everybody else.
    package func adviceForContainer(process: Int32) -> String? {
        guard process == 1, listen.map(\.text) == [SettingsDraft.defaultListen.text], healthListen.isEmpty else {
            return nil
        }
        return "connectd listens only on the container's loopback, which published ports do not reach. To serve other "
            + "machines, set listen, auth.tokens_file and policy in /etc/connectd/connectd.yaml."
    }
}

/// A client certificate that requests may name.
package struct LentCertificate: Sendable {
    package let certificate: ClientCertificate
    /// The targets that it is there for; nil: every one.
    package let targets: [TargetPattern]?
}
