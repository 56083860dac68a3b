internal import COpenSSL
internal import CheckModel
internal import ErrorCatalogue

/// Determines the name of a failed handshake. The order is: a failure of our own, an alert from the peer, the verdict
/// about its certificate, OpenSSL's reason.
struct FailureNaming {
    let record: HandshakeRecord
    let error: OpenSSLError?

    var failure: TLSHandshakeFailure {
        var failure = named
        failure.sentCertificate = record.hasSentCertificate
        failure.sentServerName = record.peer.serverName != nil
        return failure
    }

    private var named: TLSHandshakeFailure {
        if isOurs { return .ofOurOwn(error?.reason ?? "OpenSSL gives no reason") }
        if let alert = record.peerAlert, isAlert { return AlertNaming(record: record, alert: alert).failure }
        let ownAlert = record.ownAlert.map { TLSAlertReport(alert: $0, sender: .prober) }
        if let verdict = record.verifyError, hasReason(SSL_R_CERTIFICATE_VERIFY_FAILED) {
            var failure = TLSHandshakeFailure(verdict.failure, message: verdict.message, alert: ownAlert)
            failure.subject = subject(of: verdict)
            return failure
        }
        var failure = TLSHandshakeFailure(nameOfReason, message: error?.reason, alert: ownAlert)
        if hasReason(SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED) { failure.subject = .legacyRenegotiation }
        if hasReason(SSL_R_EXCESSIVE_MESSAGE_SIZE) { failure.subject = .messageSize }
        return failure
    }

    private func subject(of verdict: CertificateVerifyError) -> TLSHandshakeFailure.Subject {
        if verdict.code == Int(X509_V_ERR_CERT_CHAIN_TOO_LONG) { return .chainLength }
        guard verdict.failure == .certificateNameMismatch, let certificate = record.chain?[0] else { return .handshake }
        return HostNameMatch.hasHostNames(certificate) ? .handshake : .missingNames
    }

    /// Whether OpenSSL failed for a reason that the peer has no part in: a lack of memory or descriptors, or no reason at
    /// all, which means a failure of memory here, because no step touches a socket.
    private var isOurs: Bool {
        guard let error, !record.isShortOfMemory else { return true }
        return error.isShortage || record.verifyError?.isShortage == true
    }

    /// OpenSSL's reason for a fatal alert is the alert's number plus 1000 (SSL_AD_REASON_OFFSET).
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
        // Parameters that the peer chose and OpenSSL rejects: suites that were not offered or do not exist, and groups
        // that are too small or were not offered.
        case SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_WRONG_CIPHER_RETURNED, SSL_R_UNKNOWN_CIPHER_RETURNED,
            SSL_R_DH_KEY_TOO_SMALL, SSL_R_WRONG_CURVE, SSL_R_UNSUPPORTED_ELLIPTIC_CURVE, SSL_R_NO_SUITABLE_GROUPS,
            SSL_R_NO_SUITABLE_KEY_SHARE:
            .noSharedCipher
        // The certificate's key: its signature is too weak (MD5, SHA-1), or it is too short for a better one.
        case SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL, SSL_R_CA_MD_TOO_WEAK, SSL_R_WRONG_SIGNATURE_TYPE,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SUITABLE_DIGEST_ALGORITHM:
            .certificateWeak
        case _: .protocolViolation
        }
    }
}

/// Determines the name of a handshake that an alert from the peer ended, RFC 8446, 6.2.
struct AlertNaming {
    let record: HandshakeRecord
    let alert: TLSAlert

    var failure: TLSHandshakeFailure {
        TLSHandshakeFailure(
            name, message: "the peer sent the alert \(alert.name)",
            alert: TLSAlertReport(alert: alert, sender: .peer))
    }

    private var name: TLSFailure {
        switch Int32(alert.code) {
        case TLS13_AD_CERTIFICATE_REQUIRED: .clientCertificateRequired
        case SSL_AD_PROTOCOL_VERSION: .version
        case SSL_AD_INSUFFICIENT_SECURITY: .noSharedCipher
        case SSL_AD_NO_APPLICATION_PROTOCOL: .alpn
        case _ where wantsCertificate: .clientCertificateRequired
        // It is the peer's first message, so the peer cannot use our offer.
        case SSL_AD_HANDSHAKE_FAILURE where !record.hasMessages: .noSharedCipher
        case _: .alert
        }
    }

    /// Before TLS 1.3 there is no alert for a missing client certificate. Servers send one of these.
    private var wantsCertificate: Bool {
        guard record.hasAnsweredWithoutCertificate else { return false }
        return switch Int32(alert.code) {
        case SSL_AD_HANDSHAKE_FAILURE, SSL3_AD_NO_CERTIFICATE, SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE,
            SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA, SSL_AD_ACCESS_DENIED:
            true
        case _: false
        }
    }
}
