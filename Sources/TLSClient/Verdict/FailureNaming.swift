internal import COpenSSL
internal import CheckModel

/// Finds the name of what ended a handshake: an alert of the peer's, the verdict about its certificate, or a reason of
/// OpenSSL's, in this order.
struct FailureNaming {
    let record: HandshakeRecord
    let error: OpenSSLError?

    var failure: TLSHandshakeFailure {
        var failure = named
        failure.sentCertificate = record.hasSentCertificate
        return failure
    }

    private var named: TLSHandshakeFailure {
        if let alert = record.peerAlert, isAlert { return AlertNaming(record: record, alert: alert).failure }
        let ownAlert = record.ownAlert.map { TLSAlertReport(alert: $0, sender: .prober) }
        if let verdict = record.verifyError, hasReason(SSL_R_CERTIFICATE_VERIFY_FAILED) {
            return TLSHandshakeFailure(verdict.failure, message: verdict.message, alert: ownAlert)
        }
        return TLSHandshakeFailure(nameOfReason, message: error?.reason, alert: ownAlert)
    }

    /// OpenSSL makes a reason of each fatal alert: its number behind 1000 (SSL_AD_REASON_OFFSET).
    private var isAlert: Bool {
        error.map { $0.isOfSSL && $0.code >= SSL_AD_REASON_OFFSET } ?? false
    }

    private func hasReason(_ reason: Int32) -> Bool {
        error.map { $0.isOfSSL && $0.code == reason } ?? false
    }

    private var nameOfReason: TLSFailure {
        guard let error, error.isOfSSL else { return .protocolViolation }
        return switch error.code {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_WRONG_SSL_VERSION,
            SSL_R_NO_PROTOCOLS_AVAILABLE:
            .version
        // Parameters that the peer chose and we refuse: suites that we did not offer or do not have, and groups, finite
        // or elliptic, that are too small or were not offered.
        case SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_WRONG_CIPHER_RETURNED, SSL_R_UNKNOWN_CIPHER_RETURNED,
            SSL_R_DH_KEY_TOO_SMALL, SSL_R_WRONG_CURVE, SSL_R_UNSUPPORTED_ELLIPTIC_CURVE, SSL_R_NO_SUITABLE_GROUPS,
            SSL_R_NO_SUITABLE_KEY_SHARE:
            .noSharedCipher
        // The key is the certificate's: it signs with what is too weak (MD5, SHA-1), or is too short for anything better.
        case SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL, SSL_R_CA_MD_TOO_WEAK, SSL_R_WRONG_SIGNATURE_TYPE,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SUITABLE_DIGEST_ALGORITHM:
            .certificateWeak
        case _: .protocolViolation
        }
    }
}
