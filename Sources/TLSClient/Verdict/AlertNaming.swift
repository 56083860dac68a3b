internal import COpenSSL
internal import CheckModel

/// Finds the name of a handshake that an alert of the peer's ended, RFC 8446, 6.2.
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
        // Nothing was said before: it is our offer that the peer could not use.
        case SSL_AD_HANDSHAKE_FAILURE where !record.hasMessages: .noSharedCipher
        case _: .alert
        }
    }

    /// Before TLS 1.3 there is no alert of its own for a certificate that was asked for and not given: servers say one of
    /// these.
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
