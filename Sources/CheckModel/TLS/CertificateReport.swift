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
