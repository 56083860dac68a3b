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

/// An alert by its number, RFC 8446, 6 (IANA's registry "TLS Alerts").
public struct TLSAlert: Hashable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    /// By the name of the registry: `certificate_required`; nil for a name that is not in it.
    public init?(name: String) {
        guard let entry = Self.registry.first(where: { $0.name == name }) else { return nil }
        code = entry.code
    }

    /// The registry's name; `alert_N` for a number that it has not.
    public var name: String {
        Self.registry.first { $0.code == code }?.name ?? "alert_\(code)"
    }

    /// Every name of the registry, by rising number.
    public static var names: [String] { registry.map(\.name) }

    private static let registry: [(code: UInt8, name: String)] = [
        (0, "close_notify"), (10, "unexpected_message"), (20, "bad_record_mac"), (21, "decryption_failed"),
        (22, "record_overflow"), (30, "decompression_failure"), (40, "handshake_failure"), (41, "no_certificate"),
        (42, "bad_certificate"), (43, "unsupported_certificate"), (44, "certificate_revoked"),
        (45, "certificate_expired"), (46, "certificate_unknown"), (47, "illegal_parameter"), (48, "unknown_ca"),
        (49, "access_denied"), (50, "decode_error"), (51, "decrypt_error"), (60, "export_restriction"),
        (70, "protocol_version"), (71, "insufficient_security"), (80, "internal_error"),
        (86, "inappropriate_fallback"), (90, "user_canceled"), (100, "no_renegotiation"), (109, "missing_extension"),
        (110, "unsupported_extension"), (111, "certificate_unobtainable"), (112, "unrecognized_name"),
        (113, "bad_certificate_status_response"), (114, "bad_certificate_hash_value"), (115, "unknown_psk_identity"),
        (116, "certificate_required"), (120, "no_application_protocol"),
    ]
}

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

/// An alert, and who sent it.
public struct TLSAlertReport: Hashable, Sendable {
    public enum Sender: String, Sendable {
        case peer
        /// We ended the handshake, and said why.
        case prober
    }
    public var alert: TLSAlert
    public var sender: Sender

    public init(alert: TLSAlert, sender: Sender) {
        self.alert = alert
        self.sender = sender
    }
}
