/// What a host stood for.
public struct Resolution: Hashable, Sendable {
    public enum Source: String, CaseIterable, Sendable {
        case dns, hosts, literal
    }
    /// As the target has it.
    public var name: String
    /// In the order in which they are tried.
    public var addresses: [IPAddress]
    public var source: Source
    /// The last name of the CNAME chain or of the search expansion, without a trailing dot; nil where it is the name itself.
    public var canonicalName: String?
    /// Every name on the way from `name` to the addresses, search expansions and CNAMEs included: what host rules judge.
    public var aliases: [String]

    public init(
        name: String, addresses: [IPAddress], source: Source, canonicalName: String? = nil, aliases: [String] = []
    ) {
        self.name = name
        self.addresses = addresses
        self.source = source
        self.canonicalName = canonicalName
        self.aliases = aliases
    }
}

/// Why a name has no addresses; the raw value is the name that users see.
public enum ResolveFailure: String, Error, CaseIterable, Sendable {
    case nxdomain = "NXDOMAIN"
    case noData = "NODATA"
    case serverFailure = "SERVFAIL"
    case refused = "REFUSED"
    case timeout = "DNS_TIMEOUT"
    case unreachable = "DNS_UNREACHABLE"
    case badAnswer = "DNS_BAD_ANSWER"
    /// The check was cancelled while its name was being resolved; never shown as a resolver's failure.
    case cancelled = "CANCELLED"
}
