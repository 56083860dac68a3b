/// Who may be connected to: pure rules over addresses that are resolved already.
///
/// The first rule that matches wins, then the profile decides. Hard denials stand above: cloud metadata, link-local,
/// multicast, broadcast, unspecified and reserved addresses, and the service's own listeners. Nothing opens them but an
/// `allow` rule for exactly that address (a /32 or /128), which an earlier `deny` still overrules; broader `allow` rules
/// are passed over for them.
///
/// An IPv4 address inside an IPv6 one is judged as itself too: both have to be allowed. An `allow` rule for exactly the
/// outer address (a /128) opens it together with what is inside, unless a `deny` rule before it matches what is inside.
public struct Policy: Sendable {
    public enum Profile: String, CaseIterable, Sendable {
        /// Nothing but what rules allow.
        case rules
        /// Loopback.
        case sidecar
        /// Every unicast address.
        case `internal`
        /// Global unicast addresses, after the IANA special-purpose registries.
        case `public`
    }

    public var profile: Profile
    public var rules: [PolicyRule]
    /// Translators' prefixes beside `64:ff9b::/96` and `64:ff9b:1::/48`. Under `public` and among the reserved blocks, an
    /// address with one of them counts as nothing but the IPv4 address inside.
    public var nat64Prefixes: [NAT64Prefix]
    /// The ports that this service listens on, at any address.
    public var ownPorts: Set<UInt16>
    /// The UNIX-domain sockets that this service listens on, paths as the kernel resolves them.
    public var ownPaths: Set<UnixAddress>
    /// The files of these sockets: another name for one of them is no way around.
    public var ownFiles: Set<FileIdentity>

    public init(
        profile: Profile = .internal, rules: [PolicyRule] = [], nat64Prefixes: [NAT64Prefix] = [],
        ownPorts: Set<UInt16> = [], ownPaths: Set<UnixAddress> = [], ownFiles: Set<FileIdentity> = []
    ) {
        self.profile = profile
        self.rules = rules
        self.nat64Prefixes = nat64Prefixes
        self.ownPorts = ownPorts
        self.ownPaths = ownPaths
        self.ownFiles = ownFiles
    }

    /// Judges the address that is about to be connected to.
    ///
    /// - Parameters:
    ///   - transport: `tcp` or `udp`.
    ///   - isLocal: Whether the address is one of this machine's; asked only where the port is one of our own.
    public func judge(
        _ endpoint: IPEndpoint, transport: Transport, isLocal: (IPAddress) -> Bool
    ) -> Verdict {
        let inside = endpoint.address.embeddedIPv4(nat64Prefixes: nat64Prefixes).map {
            IPEndpoint(address: .v4($0), port: endpoint.port)
        }
        switch decide(on: endpoint, transport, isLocal) {
        case .denied(let reason):
            return .deny(reason)
        case .opened(let rule):
            return firstDenial(of: inside, transport, before: rule).map(Verdict.deny) ?? .allow
        case .allowed:
            for endpoint in inside {
                if case .denied(let reason) = decide(on: endpoint, transport, isLocal) { return .deny(reason) }
            }
            return .allow
        }
    }

    /// Judges the name of a host, also a search expansion or an alias: any `deny` rule for it denies, wherever it stands.
    ///
    /// - Parameters:
    ///   - port: Nil if every rule counts, whatever its ports.
    ///   - transport: Nil if every rule counts, whatever its transports.
    public func judgeHost(_ name: String, port: UInt16? = nil, transport: Transport? = nil) -> Verdict {
        for (index, rule) in rules.enumerated() where rule.covers(port, transport) {
            if case .host(let pattern) = rule.matcher, pattern.matches(name) { return .deny(.rule(index: index)) }
        }
        return .allow
    }

    // MARK: One address

    private enum Decision {
        case allowed
        /// By the `allow` rule with that index for exactly this address.
        case opened(rule: Int)
        case denied(DenialReason)
    }

    private func decide(on endpoint: IPEndpoint, _ transport: Transport, _ isLocal: (IPAddress) -> Bool) -> Decision {
        let hardDenial = hardDenial(of: endpoint, isLocal)
        for (index, rule) in rules.enumerated() where rule.matches(endpoint, transport) {
            switch rule.action {
            case .deny: return .denied(.rule(index: index))
            case .allow where rule.namesOneAddress: return .opened(rule: index)
            case .allow: if hardDenial == nil { return .allowed }
            }
        }
        if let hardDenial { return .denied(hardDenial) }
        return profileAllows(endpoint.address) ? .allowed : .denied(.profile)
    }

    private func hardDenial(of endpoint: IPEndpoint, _ isLocal: (IPAddress) -> Bool) -> DenialReason? {
        let address = endpoint.address
        if let reason = SpecialAddresses.hardDenial(of: address), !(reason == .reserved && isTranslated(address)) {
            return reason
        }
        guard ownPorts.contains(endpoint.port) else { return nil }
        return SpecialAddresses.isLoopback(address) || isLocal(address) ? .ownListener : nil
    }

    private func profileAllows(_ address: IPAddress) -> Bool {
        switch profile {
        case .rules: false
        case .sidecar: SpecialAddresses.isLoopback(address)
        case .internal: true
        case .public: GlobalAddresses.contains(address) || isTranslated(address)
        }
    }

    /// Whether a configured translator stands behind the address.
    private func isTranslated(_ address: IPAddress) -> Bool {
        nat64Prefixes.contains { $0.range.contains(address) }
    }

    private func firstDenial(of endpoints: [IPEndpoint], _ transport: Transport, before end: Int) -> DenialReason? {
        for (index, rule) in rules.prefix(end).enumerated() where rule.action == .deny {
            if endpoints.contains(where: { rule.matches($0, transport) }) { return .rule(index: index) }
        }
        return nil
    }
}
