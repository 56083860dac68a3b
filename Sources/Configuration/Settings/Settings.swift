package import AccessPolicy
package import NetworkTypes
package import TLS

/// Everything that can be configured, validated: nothing in it needs to be judged for form again.
package struct Settings: Sendable {
    /// Never empty, without duplicates.
    package var listen: [ListenAddress]
    /// Where only `/livez`, `/readyz` and `/metrics` are answered.
    package var healthListen: [ListenAddress] = []
    /// What internet listeners, but health listeners, speak TLS by.
    package var https: ServerContext?
    /// Where there are any, every request needs one.
    package var tokens: [BearerToken] = []
    /// Whether `--allow-anonymous` was given. It says nothing where there are tokens.
    package var allowsAnonymous = false
    /// Names in small letters that a Host header may carry, beside addresses and localhost.
    package var hosts: [String] = []
    package var policy: PolicySettings
    /// Whether the configuration says what may be reached: a profile, or at least one rule.
    package var statesPolicy = false
    package var limits = LimitSettings()
    package var drain = DrainSettings()
    /// 0: one for each core.
    package var workers = 0
    /// The keys of TCP_MD5SIG by name, each of 1 … 80 bytes.
    package var md5Keys: [String: Secret] = [:]
    /// What `tls.ca` may name.
    package var authorities: [String: TrustAnchors] = [:]
    /// What `tls.client_certificate` may name.
    package var clientCertificates: [String: LentCertificate] = [:]
    /// In the order of the file, no name twice.
    package var monitors: [MonitorSettings] = []
    /// The modules of `modules_file`, for `/probe`.
    package var modules = ModulesFile()
    package var log = LogSettings()
    /// Whether there is nothing in the file: another empty one takes nothing away.
    package var isOfEmptyFile = false
}

/// How much is taken at once. All of it is checked against the ranges of the key table.
package struct LimitSettings: Hashable, Sendable {
    /// Checks that run at once.
    package var inFlight = 4096
    /// Checks that wait; 0 for none.
    package var queue = 1024
    /// The largest body of a batch and of routes, in bytes.
    package var bodyBytes = 16_777_216
    /// The longest `timeout_ms` that a request may ask for.
    package var timeoutMilliseconds = 60_000
}

/// What happens on SIGTERM.
package struct DrainSettings: Hashable, Sendable {
    /// How long work is still taken while `/readyz` fails already.
    package var delayMilliseconds = 0
    /// How long is waited for what was accepted.
    package var limitMilliseconds = 20_000
}

/// What is logged, and how.
package struct LogSettings: Hashable, Sendable {
    /// The names of swift-log.
    package enum Level: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, CaseIterable, Sendable {
        case json, text
    }

    package var level = Level.info
    package var format = Format.json
}

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
