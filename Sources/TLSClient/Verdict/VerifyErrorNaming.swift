internal import COpenSSL
internal import CheckModel

extension CertificateVerifyError {
    /// The name of what X509_verify_cert(3) found first.
    ///
    /// It builds the chain, then looks at levels and names, then at dates; and what it finds first has to be mended first.
    /// So a certificate that is self-signed and expired is CERT_SELF_SIGNED: a new date would not help it.
    var failure: TLSFailure {
        switch Int32(code) {
        case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
        case X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: .certificateSelfSigned
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_CERT_UNTRUSTED:
            .certificateUnknownAuthority
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .certificateNameMismatch
        case X509_V_ERR_CERT_REVOKED: .certificateRevoked
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: .certificateWeak
        case _: .certificateInvalid
        }
    }
}
