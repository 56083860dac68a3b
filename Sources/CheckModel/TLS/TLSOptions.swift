/// A TLS handshake as it was asked for: the member `tls` of a check.
public struct TLSOptions: Hashable, Sendable {
    public enum Revocation: String, CaseIterable, Sendable {
        case none
        /// The peer has to staple an OCSP response (RFC 6066, 8) that says `good`.
        case ocspStapled = "ocsp_stapled"
    }
    /// The name that is sent (SNI, RFC 6066, 3) and verified; an address is verified and not sent. nil: the target's host.
    public var serverName: String?
    /// Whether the chain and the name decide about success; both are reported all the same.
    public var verify = true
    /// `ca`: the name of an entry under `authorities` in the configuration; nil: the system's authorities.
    public var authority: String?
    /// The name of an entry under `client_certificates` in the configuration.
    public var clientCertificate: String?
    /// RFC 7301, in the order of preference; empty: the extension is not sent.
    public var alpn: [String] = []
    public var minimumVersion: TLSVersion?
    public var maximumVersion: TLSVersion?
    /// OpenSSL's cipher list for TLS 1.2 and below, and names of TLS 1.3 suites.
    public var ciphers: String?
    /// What is said before the handshake; nil: the handshake comes at once.
    public var startTLS: StartTLSProtocol?
    /// The peer's alert that is the success, RFC 8446, 6: a server that has to refuse us.
    public var expectedAlert: TLSAlert?
    /// 0 …: a certificate of the peer's chain that expires sooner is CERT_EXPIRES_SOON.
    public var minimumDaysLeft: Int?
    public var revocation: Revocation = .none
    /// Whether the report says when the chain ends that lasts longest; this may cost signatures.
    public var findsLongestChain = false
    /// Whether a TLS 1.2 server without secure renegotiation (RFC 5746) is accepted.
    public var legacyRenegotiation = false

    public init() {}
}
