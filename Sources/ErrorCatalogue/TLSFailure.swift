public import NetworkTypes

/// Why a TLS handshake failed: all names of the class `tls_failed`. The raw value is the name in JSON.
public enum TLSFailure: String, CaseIterable, Error, Sendable {
    case certificateExpired = "CERT_EXPIRED"
    case certificateNotYetValid = "CERT_NOT_YET_VALID"
    case certificateSelfSigned = "CERT_SELF_SIGNED"
    case certificateUnknownAuthority = "CERT_UNKNOWN_AUTHORITY"
    case certificateNameMismatch = "CERT_NAME_MISMATCH"
    case certificateRevoked = "CERT_REVOKED"
    /// A key, signature or parameter in the chain is below the security level.
    case certificateWeak = "CERT_WEAK"
    /// The chain is valid, but not for `min_days_left` days.
    case certificateExpiresSoon = "CERT_EXPIRES_SOON"
    /// Any other verdict about the certificate.
    case certificateInvalid = "CERT_INVALID"
    /// No common protocol version.
    case version = "TLS_VERSION"
    case noSharedCipher = "TLS_NO_SHARED_CIPHER"
    /// An alert without an error name of its own.
    case alert = "TLS_ALERT"
    /// The first bytes were not a TLS record.
    case notTLS = "TLS_NOT_TLS"
    /// The peer closed the connection normally during the handshake.
    case closed = "TLS_CLOSED"
    /// No common application protocol.
    case alpn = "TLS_ALPN"
    case clientCertificateRequired = "TLS_CLIENT_CERT_REQUIRED"
    /// Any other violation of the protocol.
    case protocolViolation = "TLS_PROTOCOL"
    /// The peer answered, but does not offer TLS.
    case startTLSRefused = "STARTTLS_REFUSED"
}

/// A TLS alert (RFC 8446, 6; IANA registry "TLS Alerts").
public struct TLSAlert: Hashable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    /// Makes the alert with the registry's name, such as `certificate_required`; nil for a name that is not in the
    /// registry.
    public init?(name: String) {
        guard let entry = Self.registry.first(where: { $0.name == name }) else { return nil }
        code = entry.code
    }

    /// The name in the registry; `alert_N` for an unknown number.
    public var name: String {
        Self.registry.first { $0.code == code }?.name ?? "alert_\(code)"
    }

    /// All names in the registry, in the order of their numbers.
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

/// A failure of a TLS handshake, or of the STARTTLS exchange before it.
public struct TLSHandshakeFailure: Error, Hashable, Sendable {
    public var name: TLSFailure
    /// One short line from OpenSSL or the verifier; nil if the name says enough.
    public var message: String?
    /// The alert that ended the handshake, from either side.
    public var alert: TLSAlertReport?
    /// At most 1 KiB of what the peer sent instead of TLS, or its refusal of STARTTLS.
    public var received: [UInt8]?
    /// Whether the peer asked for a certificate and got one.
    public var sentCertificate = false
    /// Whether a server name was sent (SNI); false if the target has no name, such as an address.
    public var sentServerName = true
    /// Whether the refusal is temporary: the peer is busy, or its reply code says so.
    public var isTemporary = false
    public var subject = Subject.handshake

    /// The detail of a failure that its name does not tell.
    public enum Subject: Sendable {
        /// The handshake itself.
        case handshake
        /// The OCSP staple is missing or not good; the chain itself may be valid.
        case staple
        /// The handshake could not start: OpenSSL or the configuration lacks a requested option. Nothing was sent.
        case preparation
        /// OpenSSL failed for lack of memory or descriptors, at any time. It says nothing about the peer.
        case shortage
        /// The peer refuses to serve this client, before TLS is negotiated.
        case service
        /// The peer lacks RFC 5746; `legacyRenegotiation` would accept it.
        case legacyRenegotiation
        /// A message from the peer is larger than OpenSSL accepts.
        case messageSize
        /// The chain has more certificates than OpenSSL accepts.
        case chainLength
        /// The certificate has no subject alternative name for a host.
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

/// A TLS alert and its sender.
public struct TLSAlertReport: Hashable, Sendable {
    public enum Sender: String, Sendable {
        case peer
        /// connectd ended the handshake and sent the alert.
        case prober
    }
    public var alert: TLSAlert
    public var sender: Sender

    public init(alert: TLSAlert, sender: Sender) {
        self.alert = alert
        self.sender = sender
    }
}

/// How a TLS handshake, or the STARTTLS exchange before it, ended.
public enum TLSHandshakeOutcome: Hashable, Sendable {
    case completed
    /// The peer has sent the alert of `expect_alert`.
    case expectedAlert
    /// Indirect, so that frames of functions that wait have room for a reference only.
    indirect case failed(TLSHandshakeFailure)
    /// recv(2) or send(2) failed.
    case broken(Errno)
    case deadline
    case cancelled
}

/// Why no plaintext was received or sent.
public enum TLSTransferError: Error, Hashable, Sendable {
    /// The kernel's error; EAGAIN means to wait and try again.
    case kernel(Errno)
    /// An alert from the peer, or a violation of the protocol. Indirect for the same reason as above.
    indirect case tls(TLSHandshakeFailure)
}
