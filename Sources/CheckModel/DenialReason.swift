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
