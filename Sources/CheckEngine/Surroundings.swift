public import CheckModel

/// What a check runs under beside its own request: taken once, so that a reload in between changes nothing for it.
public final class Surroundings: Sendable {
    /// Who may connect to what; nil where the caller acts with its own rights, as the command line does.
    public let policy: Policy?
    /// The keys that `socket.tcp_md5` names, 1 … 80 bytes each.
    public let md5Keys: [String: [UInt8]]

    public init(policy: Policy?, md5Keys: [String: [UInt8]] = [:]) {
        self.policy = policy
        self.md5Keys = md5Keys
    }
}
