/// What a handshake showed: `tls` in the result. It is there also where verification failed.
public struct TLSReport: Sendable {
    /// `TLSv1.3`; nil where the handshake did not get as far as to agree on it, as with the next three.
    public var version: String?
    /// OpenSSL's name of the cipher suite.
    public var cipher: String?
    /// IANA's name of the cipher suite: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`; nil also where the suite has none.
    public var cipherStandardName: String?
    /// The key exchange group: `x25519`, `secp256r1`.
    public var group: String?
    /// The application protocol that the peer chose.
    public var alpn: String?
    /// The name that was sent; nil where none was (an address).
    public var serverName: String?
    public var handshakeNanoseconds: Int64 = 0
    /// Whether the chain leads to an authority and the name fits; known also with `verify: false`.
    public var isVerified = false
    public var verifyError: CertificateVerifyError?
    /// As the peer sent it, its own certificate first.
    public var chain: [CertificateReport] = []
    /// From the peer's certificate to the authority; nil where none could be built.
    public var verifiedChain: [CertificateReport]?
    public var ocsp = OCSPReport()
    /// The alert that ended the handshake.
    public var alert: TLSAlertReport?

    public init() {}
}

/// X509_STORE_CTX_get_error(3), and where in the chain.
public struct CertificateVerifyError: Hashable, Sendable {
    public var code: Int
    /// `X509_V_ERR_CERT_HAS_EXPIRED`.
    public var name: String
    /// 0 is the peer's own certificate.
    public var depth: Int
    /// X509_verify_cert_error_string(3).
    public var message: String

    public init(code: Int, name: String, depth: Int, message: String) {
        self.code = code
        self.name = name
        self.depth = depth
        self.message = message
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

/// The stapled OCSP response, RFC 6066, 8.
public struct OCSPReport: Hashable, Sendable {
    public enum Status: String, Sendable {
        case good, revoked, unknown
        /// There is a response, and it cannot be relied on: no signature of the issuer's, too old, not successful.
        case invalid
    }
    public var isStapled = false
    public var status: Status?
    /// Seconds since 1970.
    public var thisUpdate: Int64?
    public var nextUpdate: Int64?
    public var revokedAt: Int64?

    public init() {}
}
