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
    /// Whether the name has more addresses than are tried; `addresses` then has those that are.
    public var isTruncated = false

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

/// Why a name has no addresses. `OwnError` has the names that users see.
public enum ResolveFailure: Error, Hashable, Sendable {
    case nxdomain
    case noData
    case serverFailure
    case refused
    /// FORMERR: the server could not read the question.
    case formatError
    /// NOTIMP: the server does not answer questions of this kind.
    case notImplemented
    /// Any other response code of RFC 6895 section 2.3, by its number.
    case responseCode(UInt16)
    case timeout
    case unreachable
    case badAnswer
    /// The check was cancelled while its name was being resolved; never shown as a resolver's failure.
    case cancelled
}
