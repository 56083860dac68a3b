public import NetworkTypes

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

extension Policy {
    /// Whether any rule allows UNIX-domain sockets. Without one every path is denied, and none has to be looked up.
    public var allowsSomePaths: Bool {
        rules.contains { rule in
            guard case .path = rule.matcher else { return false }
            return rule.action == .allow
        }
    }

    /// Judges the name of a UNIX-domain socket: only a rule allows it, in every profile.
    ///
    /// Our own listener takes an `allow` rule without wildcards. Empty segments and `.` are passed over; a path with a
    /// `..` in it is denied, since it names no one place: callers give the path that the kernel found.
    /// - Parameter file: the file that the name leads to, where it was opened.
    public func judge(path address: UnixAddress, file: FileIdentity? = nil) -> Verdict {
        switch decide(on: address, file) {
        case .allowed: .allow
        case .denied(let reason): .deny(reason)
        }
    }

    /// The index of the rule that allows the name as it is written; nil where none does.
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
    /// The path without empty segments and `.`; nil if there is a `..`, or if it does not begin at the root: the kernel
    /// writes `(unreachable)` before a place that is outside of it. Abstract names have no segments.
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

/// Why a policy denies something. For logs only: what clients hear is one constant answer.
public enum DenialReason: Error, Hashable, Sendable {
    /// A rule with the action `deny`: its index among the rules, from 0.
    case rule(index: Int)
    /// No rule allows it, and neither does the profile.
    case profile
    /// A UNIX-domain socket that no rule allows.
    case unixPath
    /// One of our own listeners.
    case ownListener
    /// A metadata service of a cloud.
    case cloudMetadata
    case linkLocal
    case multicast
    case broadcast
    case unspecified
    case reserved
    /// A name without addresses, where the profile does not tell that from a denial.
    case unresolved

    /// A few words for a log.
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

/// What a policy says.
public enum Verdict: Hashable, Sendable {
    case allow
    case deny(DenialReason)
}
