/// Why a handshake failed: the closed set of names of class `tls_failed`. The raw value is what users see.
public enum TLSFailure: String, CaseIterable, Error, Sendable {
    case certificateExpired = "CERT_EXPIRED"
    case certificateNotYetValid = "CERT_NOT_YET_VALID"
    case certificateSelfSigned = "CERT_SELF_SIGNED"
    case certificateUnknownAuthority = "CERT_UNKNOWN_AUTHORITY"
    case certificateNameMismatch = "CERT_NAME_MISMATCH"
    case certificateRevoked = "CERT_REVOKED"
    /// A key, a signature or a parameter of the chain below the security level.
    case certificateWeak = "CERT_WEAK"
    /// Valid, but not for `min_days_left`.
    case certificateExpiresSoon = "CERT_EXPIRES_SOON"
    /// Any other verdict about the certificate.
    case certificateInvalid = "CERT_INVALID"
    /// No common protocol version.
    case version = "TLS_VERSION"
    case noSharedCipher = "TLS_NO_SHARED_CIPHER"
    /// An alert that no other name tells better.
    case alert = "TLS_ALERT"
    /// What came is no TLS record.
    case notTLS = "TLS_NOT_TLS"
    /// The peer ended the connection in good order within the handshake.
    case closed = "TLS_CLOSED"
    /// No common application protocol.
    case alpn = "TLS_ALPN"
    case clientCertificateRequired = "TLS_CLIENT_CERT_REQUIRED"
    /// Any other breach of the protocol.
    case protocolViolation = "TLS_PROTOCOL"
    /// The peer answered, and does not offer TLS.
    case startTLSRefused = "STARTTLS_REFUSED"
}
