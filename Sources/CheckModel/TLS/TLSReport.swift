/// What a handshake showed: `tls` in the result. It is there also where verification failed.
package struct TLSReport: Sendable {
    /// `TLSv1.3`; nil where the handshake did not get as far as to agree on it, as with the next three.
    package var version: String?
    /// OpenSSL's name of the cipher suite.
    package var cipher: String?
    /// The key exchange group: `x25519`, `secp256r1`.
    package var group: String?
    /// The application protocol that the peer chose.
    package var alpn: String?
    /// The name that was sent; nil where none was (an address).
    package var serverName: String?
    package var handshakeNanoseconds: Int64 = 0
    /// Whether the chain leads to an authority and the name fits; known also with `verify: false`.
    package var isVerified = false
    package var verifyError: CertificateVerifyError?
    /// As the peer sent it, its own certificate first.
    package var chain: [CertificateReport] = []
    /// From the peer's certificate to the authority; nil where none could be built.
    package var verifiedChain: [CertificateReport]?
    package var ocsp = OCSPReport()
    /// The alert that ended the handshake.
    package var alert: TLSAlertReport?

    package init() {}
}

/// X509_STORE_CTX_get_error(3), and where in the chain.
package struct CertificateVerifyError: Hashable, Sendable {
    package var code: Int
    /// `X509_V_ERR_CERT_HAS_EXPIRED`.
    package var name: String
    /// 0 is the peer's own certificate.
    package var depth: Int
    /// X509_verify_cert_error_string(3).
    package var message: String

    package init(code: Int, name: String, depth: Int, message: String) {
        self.code = code
        self.name = name
        self.depth = depth
        self.message = message
    }
}

/// An alert, and who sent it.
package struct TLSAlertReport: Hashable, Sendable {
    package enum Sender: String, Sendable {
        case peer
        /// We ended the handshake, and said why.
        case prober
    }
    package var alert: TLSAlert
    package var sender: Sender

    package init(alert: TLSAlert, sender: Sender) {
        self.alert = alert
        self.sender = sender
    }
}

/// The stapled OCSP response, RFC 6066, 8.
package struct OCSPReport: Hashable, Sendable {
    package enum Status: String, Sendable {
        case good, revoked, unknown
        /// There is a response, and it cannot be relied on: no signature of the issuer's, too old, not successful.
        case invalid
    }
    package var isStapled = false
    package var status: Status?
    /// Seconds since 1970.
    package var thisUpdate: Int64?
    package var nextUpdate: Int64?
    package var revokedAt: Int64?

    package init() {}
}
