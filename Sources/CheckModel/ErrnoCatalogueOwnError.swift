/// An error that is not the kernel's: connectd names it itself. The raw value is the name that users see.
public enum OwnError: String, CaseIterable, Sendable {
    /// The check's own time was up; never the kernel's ETIMEDOUT.
    case deadline = "DEADLINE"
    case nxdomain = "NXDOMAIN"
    case noData = "NODATA"
    case serverFailure = "SERVFAIL"
    case resolverRefused = "REFUSED"
    case resolverTimeout = "DNS_TIMEOUT"
    case resolverUnreachable = "DNS_UNREACHABLE"
    case resolverBadAnswer = "DNS_BAD_ANSWER"
    // Those of TLS are the names of `TLSFailure`.
    case certificateExpired = "CERT_EXPIRED"
    case certificateNotYetValid = "CERT_NOT_YET_VALID"
    case certificateSelfSigned = "CERT_SELF_SIGNED"
    case certificateUnknownAuthority = "CERT_UNKNOWN_AUTHORITY"
    case certificateNameMismatch = "CERT_NAME_MISMATCH"
    case certificateRevoked = "CERT_REVOKED"
    case certificateWeak = "CERT_WEAK"
    case certificateExpiresSoon = "CERT_EXPIRES_SOON"
    case certificateInvalid = "CERT_INVALID"
    case tlsVersion = "TLS_VERSION"
    case tlsNoSharedCipher = "TLS_NO_SHARED_CIPHER"
    case tlsAlert = "TLS_ALERT"
    case tlsNotTLS = "TLS_NOT_TLS"
    case tlsClosed = "TLS_CLOSED"
    case tlsALPN = "TLS_ALPN"
    case tlsClientCertificateRequired = "TLS_CLIENT_CERT_REQUIRED"
    case tlsProtocol = "TLS_PROTOCOL"
    case startTLSRefused = "STARTTLS_REFUSED"
    case dialogMismatch = "DIALOG_MISMATCH"
    case dialogRejected = "DIALOG_REJECTED"
    case dialogClosed = "DIALOG_CLOSED"
    /// TCP's simultaneous open with itself (RFC 9293, 3.5): getsockname(2) equals getpeername(2).
    case selfConnect = "SELF_CONNECT"
    case denied = "DENIED"
    case invalid = "INVALID"
    case cancelled = "CANCELLED"

    /// The name for a resolver's failure.
    public init(_ failure: ResolveFailure) {
        switch failure {
        case .nxdomain: self = .nxdomain
        case .noData: self = .noData
        case .serverFailure: self = .serverFailure
        case .refused: self = .resolverRefused
        case .timeout: self = .resolverTimeout
        case .unreachable: self = .resolverUnreachable
        case .badAnswer: self = .resolverBadAnswer
        case .cancelled: self = .cancelled
        }
    }

    /// The name for a handshake's failure.
    public init(_ failure: TLSFailure) {
        switch failure {
        case .certificateExpired: self = .certificateExpired
        case .certificateNotYetValid: self = .certificateNotYetValid
        case .certificateSelfSigned: self = .certificateSelfSigned
        case .certificateUnknownAuthority: self = .certificateUnknownAuthority
        case .certificateNameMismatch: self = .certificateNameMismatch
        case .certificateRevoked: self = .certificateRevoked
        case .certificateWeak: self = .certificateWeak
        case .certificateExpiresSoon: self = .certificateExpiresSoon
        case .certificateInvalid: self = .certificateInvalid
        case .version: self = .tlsVersion
        case .noSharedCipher: self = .tlsNoSharedCipher
        case .alert: self = .tlsAlert
        case .notTLS: self = .tlsNotTLS
        case .closed: self = .tlsClosed
        case .alpn: self = .tlsALPN
        case .clientCertificateRequired: self = .tlsClientCertificateRequired
        case .protocolViolation: self = .tlsProtocol
        case .startTLSRefused: self = .startTLSRefused
        }
    }
}
