public import ErrorCatalogue

/// The report of a TLS handshake: the member `tls` of the result, also if verification failed.
public struct TLSReport: Sendable {
    /// `TLSv1.3`. It and the next three are nil if the handshake ended before they were negotiated.
    public var version: String?
    /// The cipher suite by its OpenSSL name.
    public var cipher: String?
    /// The cipher suite by its IANA name, such as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`; nil also if it has none.
    public var cipherStandardName: String?
    /// The key exchange group: `x25519`, `secp256r1`.
    public var group: String?
    /// The application protocol that the peer chose.
    public var alpn: String?
    /// The server name that was sent (SNI); nil if none was.
    public var serverName: String?
    public var handshakeNanoseconds: Int64 = 0
    /// Whether the chain leads to a trusted CA and the name matches; set also with `verify: false`.
    public var isVerified = false
    public var verifyError: CertificateVerifyError?
    /// The chain as the peer sent it, its own certificate first.
    public var chain: [CertificateReport] = []
    /// The chain from the peer's certificate to the CA; nil if none could be built.
    public var verifiedChain: [CertificateReport]?
    /// When the longest-lived of all valid chains expires, in seconds since 1970. Set only with
    /// `TLSOptions.findsLongestChain`, for a verified peer.
    public var longestChainEnd: Int64?
    public var ocsp = OCSPReport()
    /// The alert that ended the handshake.
    public var alert: TLSAlertReport?

    public init() {}
}

/// An error of X509_STORE_CTX_get_error(3), and its depth in the chain.
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

/// The stapled OCSP response, RFC 6066, 8.
public struct OCSPReport: Hashable, Sendable {
    public enum Status: String, Sendable {
        case good, revoked, unknown
        /// The response cannot be trusted: it is too old, not successful, or not signed by the issuer.
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

/// The properties of a certificate that matter for diagnosis.
public struct CertificateReport: Sendable {
    /// The subject in RFC 2253 order with its escapes, as `openssl x509 -nameopt RFC2253,-esc_msb` prints it.
    public var subject: String
    public var issuer: String
    /// `DNS:a.example`, `IP:192.0.2.1`, `URI:…`, `email:…`.
    public var subjectAlternativeNames: [String]
    /// The number of names that `subjectAlternativeNames` omits.
    public var furtherNamesCount: Int
    /// The serial number as `openssl x509 -serial` prints it, in lowercase: two digits per octet, `-` before a negative
    /// number.
    public var serial: String
    /// Seconds since 1970; nil if the field is not a valid time.
    public var notBefore: Int64?
    public var notAfter: Int64?
    /// Negative for an expired certificate; nil if unknown.
    public var expiresInSeconds: Int64?
    /// SHA-256 of the whole certificate in DER, in lowercase hex.
    public var sha256: String
    /// SHA-256 of its SubjectPublicKeyInfo in DER (RFC 7469), in lowercase hex.
    public var publicKeySHA256: String
    /// `RSA`, `EC`, `ED25519`, `ED448`, `DSA`, …
    public var keyType: String
    public var keyBits: Int
    /// `sha256WithRSAEncryption`, `ecdsa-with-SHA256`, …
    public var signatureAlgorithm: String
    /// Whether the certificate requires a stapled OCSP response (TLS feature extension, RFC 7633).
    public var mustStaple: Bool

    public init(
        subject: String, issuer: String, subjectAlternativeNames: [String], furtherNamesCount: Int, serial: String,
        notBefore: Int64?, notAfter: Int64?, expiresInSeconds: Int64?, sha256: String, publicKeySHA256: String,
        keyType: String, keyBits: Int, signatureAlgorithm: String, mustStaple: Bool = false
    ) {
        self.subject = subject
        self.issuer = issuer
        self.subjectAlternativeNames = subjectAlternativeNames
        self.furtherNamesCount = furtherNamesCount
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.expiresInSeconds = expiresInSeconds
        self.sha256 = sha256
        self.publicKeySHA256 = publicKeySHA256
        self.keyType = keyType
        self.keyBits = keyBits
        self.signatureAlgorithm = signatureAlgorithm
        self.mustStaple = mustStaple
    }
}
