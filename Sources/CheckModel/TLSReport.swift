public import ErrorCatalogue

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
    /// When the chain ends that lasts longest, of all that lead to an authority: seconds since 1970. Only if it was asked for
    /// (`TLSOptions.findsLongestChain`) and the peer is verified.
    public var longestChainEnd: Int64?
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

/// One certificate, as far as somebody on call would ask.
public struct CertificateReport: Sendable {
    /// RFC 2253 order and escapes, as `openssl x509 -nameopt RFC2253,-esc_msb`.
    public var subject: String
    public var issuer: String
    /// `DNS:a.example`, `IP:192.0.2.1`, `URI:…`, `email:…`.
    public var subjectAlternativeNames: [String]
    /// More names than are listed in `subjectAlternativeNames`; 0 where all are.
    public var furtherNamesCount: Int
    /// As `openssl x509 -serial`, in lowercase: two digits for each octet, `-` in front of a negative number.
    public var serial: String
    /// Seconds since 1970; nil where what stands there is no time.
    public var notBefore: Int64?
    public var notAfter: Int64?
    /// Negative once it has expired; nil where nobody can tell.
    public var expiresInSeconds: Int64?
    /// Of the whole certificate in DER, lowercase hex.
    public var sha256: String
    /// Of its SubjectPublicKeyInfo in DER (RFC 7469), lowercase hex.
    public var publicKeySHA256: String
    /// `RSA`, `EC`, `ED25519`, `ED448`, `DSA`, …
    public var keyType: String
    public var keyBits: Int
    /// `sha256WithRSAEncryption`, `ecdsa-with-SHA256`, …
    public var signatureAlgorithm: String
    /// It demands a stapled OCSP response of its server (TLS feature extension, RFC 7633).
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
