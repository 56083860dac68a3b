internal import COpenSSL
internal import CheckModel

/// What OpenSSL's call-backs saw of a handshake: facts that it keeps for itself, or forgets where a handshake fails.
///
/// The call-backs find it by the SSL, which its channel frees before it.
final class HandshakeRecord {
    /// Whether a chain that does not verify ends the handshake.
    let mustVerify: Bool
    /// Security level for the keys and signatures of certificates.
    let certificateLevel: Int32
    /// Who the certificate has to be for, and what it is verified against.
    let peer: PeerName
    let authorities: AuthorityStore
    private let expectedAlert: TLSAlert?

    private(set) var hasMessages = false
    private(set) var hasServerHello = false
    private(set) var isAskedForCertificate = false
    private(set) var hasAnsweredWithoutCertificate = false
    private(set) var hasSentCertificate = false
    /// TLS 1.3: the server has sent something behind our last flight, so it has taken that.
    private(set) var hasTicket = false
    /// The last one that was not close_notify.
    private(set) var peerAlert: TLSAlert?
    private(set) var ownAlert: TLSAlert?
    private(set) var hasExpectedAlert = false

    /// As the peer sent it.
    private(set) var chain: CertificateStack?
    /// Up to an authority; nil unless verified.
    private(set) var verifiedChain: CertificateStack?
    private(set) var verifyError: CertificateVerifyError?

    init(
        mustVerify: Bool, certificateLevel: Int32, peer: PeerName, authorities: AuthorityStore,
        expectedAlert: TLSAlert?
    ) {
        self.mustVerify = mustVerify
        self.peer = peer
        self.authorities = authorities
        self.certificateLevel = certificateLevel
        self.expectedAlert = expectedAlert
    }

    /// A chain was sent, leads to an authority, and bears the name that was asked for.
    var isVerified: Bool { verifiedChain != nil }

    /// Called for each message of the handshake: its type, RFC 8446, 4.
    func noteMessage(type: Int32, length: Int, isOurs: Bool) {
        switch (type, isOurs) {
        case (SSL3_MT_CERTIFICATE, true):
            // An empty list: 4 bytes of header, 3 of its length, and in TLS 1.3 one more of an empty context.
            hasSentCertificate = length > 8
            hasAnsweredWithoutCertificate = !hasSentCertificate
        case (_, true): break
        case (SSL3_MT_SERVER_HELLO, false): hasServerHello = true
        case (SSL3_MT_CERTIFICATE_REQUEST, false): isAskedForCertificate = true
        case (SSL3_MT_NEWSESSION_TICKET, false): hasTicket = true
        case _: break
        }
        // A HelloRequest answers nothing.
        if !isOurs, type != SSL3_MT_HELLO_REQUEST { hasMessages = true }
    }

    func noteAlert(_ alert: TLSAlert, isOurs: Bool) {
        if isOurs {
            ownAlert = alert
            return
        }
        if alert == expectedAlert { hasExpectedAlert = true }
        if Int32(alert.code) != SSL_AD_CLOSE_NOTIFY { peerAlert = alert }
    }

    /// Called once a chain was verified.
    /// - Parameter error: what X509_verify_cert(3) found first; nil where the chain is good.
    func noteVerification(
        chain: CertificateStack?, verifiedChain: CertificateStack?, error: CertificateVerifyError?
    ) {
        self.chain = chain
        self.verifiedChain = verifiedChain
        verifyError = error
    }
}
