public import CheckModel
public import TLSClient

/// What a check runs under beside its own request: taken once, so that a reload in between changes nothing for it.
public final class Surroundings: Sendable {
    /// Who may connect to what; nil where the caller acts with its own rights, as the command line does.
    public let policy: Policy?
    /// The keys that `socket.tcp_md5` names, 1 … 80 bytes each.
    public let md5Keys: [String: [UInt8]]
    /// What `tls.ca` and `tls.client_certificate` name.
    public let tls: TLSMaterial

    public init(policy: Policy?, md5Keys: [String: [UInt8]] = [:], tls: TLSMaterial = TLSMaterial()) {
        self.policy = policy
        self.md5Keys = md5Keys
        self.tls = tls
    }
}
