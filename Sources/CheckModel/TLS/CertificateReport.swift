/// One certificate, as far as somebody on call would ask.
package struct CertificateReport: Sendable {
    /// RFC 2253 order and escapes, as `openssl x509 -nameopt RFC2253`.
    package var subject: String
    package var issuer: String
    /// `DNS:a.example`, `IP:192.0.2.1`, `URI:…`, `email:…`.
    package var subjectAlternativeNames: [String]
    /// More names than are listed in `subjectAlternativeNames`; 0 where all are.
    package var furtherNamesCount: Int
    /// Lowercase hex of the octets, leading zeros kept.
    package var serial: String
    /// Seconds since 1970.
    package var notBefore: Int64
    package var notAfter: Int64
    /// Negative once it has expired.
    package var expiresInSeconds: Int64
    /// Of the whole certificate in DER, lowercase hex.
    package var sha256: String
    /// Of its SubjectPublicKeyInfo in DER (RFC 7469), lowercase hex.
    package var publicKeySHA256: String
    /// `RSA`, `EC`, `ED25519`, `ED448`, `DSA`, …
    package var keyType: String
    package var keyBits: Int
    /// `sha256WithRSAEncryption`, `ecdsa-with-SHA256`, …
    package var signatureAlgorithm: String

    package init(
        subject: String, issuer: String, subjectAlternativeNames: [String], furtherNamesCount: Int, serial: String,
        notBefore: Int64, notAfter: Int64, expiresInSeconds: Int64, sha256: String, publicKeySHA256: String,
        keyType: String, keyBits: Int, signatureAlgorithm: String
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
    }
}
