package import AccessPolicy
package import NetworkTypes
package import TLS

/// The validated configuration.
package struct Settings: Sendable {
    /// Never empty, without duplicates.
    package var listen: [ListenAddress]
    /// Listeners for only `/livez`, `/readyz` and `/metrics`.
    package var healthListen: [ListenAddress] = []
    /// The TLS context of all TCP listeners except health listeners.
    package var https: ServerContext?
    /// If there are any, every request needs one.
    package var tokens: [BearerToken] = []
    /// Whether `--allow-anonymous` was given. It has no effect if there are tokens.
    package var allowsAnonymous = false
    /// Lowercase names to accept in a Host header, besides addresses and localhost.
    package var hosts: [String] = []
    package var policy: PolicySettings
    /// Whether the configuration has a policy: a profile, or at least one rule.
    package var statesPolicy = false
    package var limits = LimitSettings()
    package var drain = DrainSettings()
    /// 0 means one per core.
    package var workers = 0
    /// The keys of TCP_MD5SIG by name, each of 1 … 80 bytes.
    package var md5Keys: [String: Secret] = [:]
    /// The names for `tls.ca`.
    package var authorities: [String: TrustAnchors] = [:]
    /// The names for `tls.client_certificate`.
    package var clientCertificates: [String: LentCertificate] = [:]
    /// In the order of the file, with unique names.
    package var monitors: [MonitorSettings] = []
    /// The modules of `modules_file`, for `/probe`.
    package var modules = ModulesFile()
    /// nil without the key `fleet`.
    package var fleet: FleetSettings?
    package var log = LogSettings()
    /// Whether the file is empty. Only then may another empty file replace it in a reload.
    package var isOfEmptyFile = false
}

/// The limits, validated by the ranges of the key table.
package struct LimitSettings: Hashable, Sendable {
    /// The maximum number of checks in flight.
    package var inFlight = 4096
    /// The maximum number of checks in the queue.
    package var queue = 1024
    /// The maximum number of checks in one batch.
    package var batch = 10_000
    /// The largest body of a batch and of routes, in bytes.
    package var bodyBytes = 16_777_216
    /// What each client may do; 0 means no limit.
    package var perClient = ClientLimitSettings()
    /// The longest `timeout_ms` that a request may ask for.
    package var timeoutMilliseconds = 60_000
}

/// The limits of each client: a token, a certificate, or an address. 0 means no limit.
package struct ClientLimitSettings: Hashable, Sendable {
    /// Checks started per second.
    package var perSecond = 0
    /// Checks in flight.
    package var inFlight = 0
    /// Open connections.
    package var connections = 0
    /// Distinct targets in an hour.
    package var targetsPerHour = 0
}

/// The graceful shutdown on SIGTERM.
package struct DrainSettings: Hashable, Sendable {
    /// How long new work is still accepted after `/readyz` starts to fail.
    package var delayMilliseconds = 0
    /// How long to wait for accepted work.
    package var limitMilliseconds = 20_000
}

/// The settings of the log.
package struct LogSettings: Hashable, Sendable {
    /// The level names of swift-log.
    package enum Level: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, CaseIterable, Sendable {
        case json, text
    }

    package var level = Level.info
    package var format = Format.json
}

/// The configured policy: what requests may connect to and use.
package struct PolicySettings: Sendable {
    /// The dialogs that a request may use.
    package enum Dialogs: String, CaseIterable, Sendable {
        case any, configured
        /// No dialog at all.
        case none
    }

    /// The socket options that a request may use.
    package enum Option: String, CaseIterable, Sendable {
        case bind, interface, mark, md5
    }

    /// Decides if no rule matches.
    package var profile: Policy.Profile
    package var dialogs: Dialogs
    package var options: Set<Option>
    /// The first matching rule decides.
    package var rules: [PolicyRule] = []
    /// In addition to 64:ff9b::/96 and 64:ff9b:1::/48, which are always known.
    package var nat64Prefixes: [NAT64Prefix] = []

    /// The policy of a service with these ports and UNIX-domain sockets. They are known only after bind(2), because of
    /// port 0.
    package func policy(
        ownPorts: Set<UInt16>, ownPaths: Set<UnixAddress>, ownFiles: Set<FileIdentity> = []
    ) -> Policy {
        Policy(
            profile: profile, rules: rules, nat64Prefixes: nat64Prefixes, ownPorts: ownPorts, ownPaths: ownPaths,
            ownFiles: ownFiles)
    }
}
