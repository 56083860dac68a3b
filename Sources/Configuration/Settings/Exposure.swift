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
            "It is not said who may ask: give auth.tokens_file (CONNECTD_AUTH__TOKENS_FILE), https.client_authorities, or --allow-anonymous if "
                + "really everybody may."
        case .what:
            "It is not said what they may reach: give policy.profile (CONNECTD_POLICY__PROFILE: rules, sidecar, internal "
                + "or public) or policy.rules."
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
        return "connectd does not start: others than this machine reach \(addresses), and whoever reaches it can scan "
            + "ports with it. " + missing.map(\.message).joined(separator: " ")
    }

    /// What to tell those who start the service as a container's first process and give it no address: they publish a port,
    /// and nothing answers there. Nil for everybody else.
    package func adviceForContainer(process: Int32) -> String? {
        guard process == 1, listen.map(\.text) == [SettingsDraft.defaultListen.text], healthListen.isEmpty else {
            return nil
        }
        return "this is the container's own loopback, to which no published port leads: for others to ask, say listen, "
            + "who may ask (auth.tokens_file) and what they may reach (policy), in a file over /etc/connectd/connectd.yaml"
    }
}

/// A client certificate that requests may name.
package struct LentCertificate: Sendable {
    package let certificate: ClientCertificate
    /// The targets that it is there for; nil: every one.
    package let targets: [TargetPattern]?
}
