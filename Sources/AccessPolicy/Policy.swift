public import NetworkTypes

/// The access policy: which targets checks may connect to. It judges resolved addresses and does no I/O.
///
/// The first matching rule decides; without one the profile decides. Hard denials take precedence: cloud metadata,
/// link-local, multicast, broadcast, unspecified and reserved addresses, and the service's own listeners. Only an
/// `allow` rule for exactly that address (a /32 or /128) permits them, unless an earlier rule denies it. Broader
/// `allow` rules do not apply to them.
///
/// An IPv4 address embedded in an IPv6 address is judged too: both must be allowed. An `allow` rule for exactly the
/// outer address (a /128) permits both, unless an earlier `deny` rule matches the embedded address.
public struct Policy: Sendable {
    public enum Profile: String, CaseIterable, Sendable {
        /// Only what rules allow.
        case rules
        /// Loopback.
        case sidecar
        /// Every unicast address.
        case `internal`
        /// Global unicast addresses, by the IANA special-purpose registries.
        case `public`
    }

    public var profile: Profile
    public var rules: [PolicyRule]
    /// NAT64 prefixes besides `64:ff9b::/96` and `64:ff9b:1::/48`. For the profile `public` and for reserved blocks,
    /// only the embedded IPv4 address of such an address counts.
    public var nat64Prefixes: [NAT64Prefix]
    /// The ports that this service listens on, on any address.
    public var ownPorts: Set<UInt16>
    /// The UNIX-domain sockets that this service listens on; paths as the kernel resolves them.
    public var ownPaths: Set<UnixAddress>
    /// The files of these sockets, so that another name for one of them is denied too.
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

    /// Judges the destination of a connect.
    ///
    /// - Parameters:
    ///   - transport: `tcp` or `udp`.
    ///   - isLocal: Whether an address belongs to this machine; called only for ports in `ownPorts`.
    public func judge(
        _ endpoint: IPEndpoint, transport: Transport, isLocal: (IPAddress) -> Bool
    ) -> Verdict {
        decision(on: endpoint, transport: transport, isLocal: isLocal).verdict
    }

    /// Judges the destination of a connect, and says what decided. The parameters are those of `judge`.
    public func decision(
        on endpoint: IPEndpoint, transport: Transport, isLocal: (IPAddress) -> Bool
    ) -> PolicyDecision {
        let inside = endpoint.address.embeddedIPv4(nat64Prefixes: nat64Prefixes).map {
            IPEndpoint(address: .v4($0), port: endpoint.port)
        }
        switch decide(on: endpoint, transport, isLocal) {
        case .denied(let reason):
            return PolicyDecision(denial: reason)
        case .opened(let rule):
            return firstDenial(of: inside, transport, before: rule) ?? PolicyDecision(allowedBy: rule)
        case .allowed(let rule):
            for endpoint in inside {
                if case .denied(let reason) = decide(on: endpoint, transport, isLocal) {
                    return PolicyDecision(denial: reason, embedded: endpoint.address)
                }
            }
            return PolicyDecision(allowedBy: rule)
        }
    }

    /// Judges a host name, search expansion or alias: any matching `deny` rule denies it, in any position.
    ///
    /// - Parameters:
    ///   - port: nil applies the rules for all ports.
    ///   - transport: nil applies the rules for all transports.
    public func judgeHost(_ name: String, port: UInt16? = nil, transport: Transport? = nil) -> Verdict {
        for (index, rule) in rules.enumerated() where rule.covers(port, transport) {
            if case .host(let pattern) = rule.matcher, pattern.matches(name) { return .deny(.rule(index: index)) }
        }
        return .allow
    }

    /// Judges a host name as `judgeHost`, and says what decided.
    public func decision(onHost name: String, port: UInt16, transport: Transport) -> PolicyDecision {
        switch judgeHost(name, port: port, transport: transport) {
        case .allow: PolicyDecision(allowedBy: nil)
        case .deny(let reason): PolicyDecision(denial: reason)
        }
    }

    // MARK: One address

    private enum Decision {
        /// Allowed by a rule, or by the profile for nil.
        case allowed(rule: Int?)
        /// Allowed by the `allow` rule with that index for exactly this address.
        case opened(rule: Int)
        case denied(DenialReason)
    }

    private func decide(on endpoint: IPEndpoint, _ transport: Transport, _ isLocal: (IPAddress) -> Bool) -> Decision {
        let hardDenial = hardDenial(of: endpoint, isLocal)
        for (index, rule) in rules.enumerated() where rule.matches(endpoint, transport) {
            switch rule.action {
            case .deny: return .denied(.rule(index: index))
            case .allow where rule.namesOneAddress: return .opened(rule: index)
            case .allow: if hardDenial == nil { return .allowed(rule: index) }
            }
        }
        if let hardDenial { return .denied(hardDenial) }
        return profileAllows(endpoint.address) ? .allowed(rule: nil) : .denied(.profile)
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

    /// Whether the address is in a configured NAT64 prefix.
    private func isTranslated(_ address: IPAddress) -> Bool {
        nat64Prefixes.contains { $0.range.contains(address) }
    }

    private func firstDenial(of endpoints: [IPEndpoint], _ transport: Transport, before end: Int) -> PolicyDecision? {
        for (index, rule) in rules.prefix(end).enumerated() where rule.action == .deny {
            if let endpoint = endpoints.first(where: { rule.matches($0, transport) }) {
                return PolicyDecision(denial: .rule(index: index), embedded: endpoint.address)
            }
        }
        return nil
    }
}

extension Policy {
    /// Whether any rule allows UNIX-domain sockets. If not, every path is denied without a lookup.
    public var allowsSomePaths: Bool {
        rules.contains { rule in
            guard case .path = rule.matcher else { return false }
            return rule.action == .allow
        }
    }

    /// Judges a UNIX-domain socket: in every profile, only a rule can allow it.
    ///
    /// Only an `allow` rule without wildcards permits a listener of this service. Empty segments and `.` are ignored. A
    /// path with `..` is denied, because it is ambiguous: pass the path that the kernel resolved.
    /// - Parameter file: The file that the path leads to, if it was opened.
    public func judge(path address: UnixAddress, file: FileIdentity? = nil) -> Verdict {
        decision(on: address, file: file).verdict
    }

    /// Judges a UNIX-domain socket as `judge`, and says what decided.
    public func decision(on address: UnixAddress, file: FileIdentity? = nil) -> PolicyDecision {
        switch decide(on: address, file) {
        case .allowed(let rule): PolicyDecision(allowedBy: rule)
        case .denied(let reason): PolicyDecision(denial: reason)
        }
    }

    /// Returns the index of the rule that allows the path as written; nil if none does.
    public func ruleAllowing(path address: UnixAddress) -> Int? {
        switch decide(on: address, nil) {
        case .allowed(let rule): rule
        case .denied: nil
        }
    }

    private enum PathDecision {
        case allowed(rule: Int)
        case denied(DenialReason)
    }

    private func decide(on address: UnixAddress, _ file: FileIdentity?) -> PathDecision {
        guard let address = address.withoutEmptySegments else { return .denied(.unixPath) }
        let isOwn = ownPaths.contains(address) || file.map(ownFiles.contains) ?? false
        for (index, rule) in rules.enumerated() where rule.covers(nil, .unix) {
            guard case .path(let pattern) = rule.matcher, pattern.matches(address) else { continue }
            switch rule.action {
            case .deny: return .denied(.rule(index: index))
            case .allow: if !isOwn || !pattern.hasWildcards { return .allowed(rule: index) }
            }
        }
        return .denied(isOwn ? .ownListener : .unixPath)
    }
}

extension UnixAddress {
    /// The path without empty segments and `.`. It is nil for a path with `..`, and for one that does not begin with a
    /// slash: the kernel writes `(unreachable)` before a path outside the root. Abstract names have no segments.
    fileprivate var withoutEmptySegments: UnixAddress? {
        guard case .path(let bytes) = self else { return self }
        guard bytes.first == .slash else { return nil }
        var path: [UInt8] = []
        path.reserveCapacity(bytes.count)
        for segment in bytes.split(separator: .slash) where !segment.elementsEqual([.dot]) {
            if segment.elementsEqual([.dot, .dot]) { return nil }
            path.append(.slash)
            path += segment
        }
        return .path(path.isEmpty ? [.slash] : path)
    }
}

/// Why a policy denies a target. For logs only: clients get one constant answer.
public enum DenialReason: Error, Hashable, Sendable {
    /// A rule with the action `deny`: its index in the rules, from 0.
    case rule(index: Int)
    /// Neither a rule nor the profile allows it.
    case profile
    /// A UNIX-domain socket that no rule allows.
    case unixPath
    /// A listener of this service.
    case ownListener
    /// A cloud metadata service.
    case cloudMetadata
    case linkLocal
    case multicast
    case broadcast
    case unspecified
    case reserved
    /// A name without addresses, which the profile reports like a denial.
    case unresolved

    /// What denies, as the configuration names it, for logs.
    public var ruleName: String {
        switch self {
        case .rule(let index): "policy.rules[\(index)]"
        case .profile, .unixPath, .unresolved: "policy.profile"
        case .ownListener, .cloudMetadata, .linkLocal, .multicast, .broadcast, .unspecified, .reserved: "hard denial"
        }
    }

    /// The reason in a few words, for logs.
    public var text: String {
        switch self {
        case .rule(let index): "denied by policy.rules[\(index)]"
        case .profile: "not allowed by the profile or a rule"
        case .unixPath: "no rule allows this UNIX-domain socket"
        case .ownListener: "a listener of this service"
        case .cloudMetadata: "a cloud metadata service"
        case .linkLocal: "a link-local address"
        case .multicast: "a multicast address"
        case .broadcast: "the broadcast address"
        case .unspecified: "an unspecified address"
        case .reserved: "a reserved address"
        case .unresolved: "the name has no addresses, which the profile answers like a denial"
        }
    }
}

/// The decision of a policy.
public enum Verdict: Hashable, Sendable {
    case allow
    case deny(DenialReason)
}
