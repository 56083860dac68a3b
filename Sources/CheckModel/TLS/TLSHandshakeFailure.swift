/// Why a TLS handshake, or what was said to get one, failed.
public struct TLSHandshakeFailure: Error, Hashable, Sendable {
    public var name: TLSFailure
    /// One short line of who found it (OpenSSL, the verifier); nil: the name says it all.
    public var message: String?
    /// The alert that ended the handshake, whoever sent it.
    public var alert: TLSAlertReport?
    /// The peer's own bytes, at most 1 KiB: what came in place of TLS, or the line that refused STARTTLS.
    public var received: [UInt8]?
    /// The peer asked for a certificate, and was given one.
    public var sentCertificate = false
    /// The name of the site was sent (SNI); false where the target has no name, such as an address.
    public var sentServerName = true
    /// The peer refuses now, and may not do so later: it is busy, or says so by a code.
    public var isTemporary = false
    public var subject = Subject.handshake

    /// What a failure is about, beyond its name.
    public enum Subject: Sendable {
        /// What the peer did, or showed.
        case handshake
        /// The OCSP staple, which does not do, or is not there: the chain itself may be good.
        case staple
        /// We could not begin: OpenSSL, or the configuration, does not have what was asked for. The peer heard nothing of it.
        case preparation
        /// The peer refuses to serve us at all, before anything was said about TLS.
        case service
        /// A peer without RFC 5746, which `legacyRenegotiation` would accept.
        case legacyRenegotiation
        /// A message of the peer's that is larger than OpenSSL takes.
        case messageSize
        /// More certificates between the peer's and an authority's than OpenSSL takes.
        case chainLength
        /// A certificate without a subject alternative name that a host could have.
        case missingNames
    }

    public init(
        _ name: TLSFailure, message: String? = nil, alert: TLSAlertReport? = nil, received: [UInt8]? = nil,
        sentCertificate: Bool = false
    ) {
        self.name = name
        self.message = message
        self.alert = alert
        self.received = received
        self.sentCertificate = sentCertificate
    }
}
