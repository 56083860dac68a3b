internal import COpenSSL
internal import CheckModel
internal import ErrorCatalogue

/// A connection of OpenSSL's (SSL) between two memories (BIO_s_mem(3)): what came from the peer, and what is to be sent.
///
/// Each step ends at once: with its result, or wanting more from the peer. Nothing waits between a call and SSL_get_error(3),
/// whose answer depends on the thread's error queue.
struct TLSSession: ~Copyable {
    enum Step {
        case done
        /// The input is used up.
        case wantsMore
        /// The peer has said close_notify.
        case closed
        case failed(OpenSSLError?)
    }

    let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    init?(context: OpaquePointer) {
        ERR_clear_error()
        guard let ssl = SSL_new(context) else { return nil }
        guard let input = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            return nil
        }
        guard let output = BIO_new(BIO_s_mem()) else {
            BIO_free(input)
            SSL_free(ssl)
            return nil
        }
        // From here on both are the SSL's.
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        self.ssl = ssl
        self.input = input
        self.output = output
    }

    deinit { SSL_free(ssl) }

    /// Gives what the peer has sent. Memory is what it takes, and the callers bound that.
    /// - Returns: false where there is no memory.
    borrowing func feed(_ bytes: [UInt8]) -> Bool {
        BIO_write(input, bytes, Int32(bytes.count)) == Int32(bytes.count)
    }

    /// Whether a read may give something without more input.
    var hasInput: Bool { BIO_ctrl_pending(input) > 0 || SSL_has_pending(ssl) == 1 }

    /// How much `takeOutput` would give.
    var outputCount: Int { BIO_ctrl_pending(output) }

    var isDone: Bool { SSL_is_init_finished(ssl) == 1 }

    var isTLS13: Bool { SSL_version(ssl) == TLS1_3_VERSION }

    /// What is to be sent to the peer, appended to `bytes`.
    borrowing func takeOutput(into bytes: inout [UInt8]) {
        let count = outputCount
        guard count > 0 else { return }
        bytes += [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, Int(BIO_read(output, buffer.baseAddress, Int32(count))))
        }
    }

    borrowing func handshake() -> Step {
        ERR_clear_error()
        return step(SSL_do_handshake(ssl))
    }

    /// Takes records until plaintext is there, which stays: `done`.
    borrowing func peek() -> Step {
        var byte: UInt8 = 0
        ERR_clear_error()
        return step(SSL_peek(ssl, &byte, 1))
    }

    /// Reads plaintext; `bytes` is empty unless `done`.
    borrowing func read(atMost capacity: Int, into bytes: inout [UInt8]) -> Step {
        ERR_clear_error()
        var result: Int32 = 0
        bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            result = SSL_read(ssl, buffer.baseAddress, Int32(clamping: capacity))
            filled = max(0, Int(result))
        }
        return step(result)
    }

    /// Encrypts plaintext, of which there has to be some: all of it, where `done`.
    borrowing func write(_ bytes: ArraySlice<UInt8>) -> Step {
        ERR_clear_error()
        let result = bytes.withUnsafeBytes { SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) }
        return step(result)
    }

    /// Puts a close_notify into the output, and awaits none.
    borrowing func close() {
        ERR_clear_error()
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private borrowing func step(_ result: Int32) -> Step {
        guard result <= 0 else { return .done }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsMore
        case SSL_ERROR_ZERO_RETURN: return .closed
        case _: return .failed(OpenSSLError.takeFirst())
        }
    }
}

/// Certificates in their order (STACK_OF(X509)), each kept alive by a reference.
final class CertificateStack {
    let stack: OpaquePointer

    /// - Parameter stack: with a reference to each certificate; both become this value's.
    init(adopting stack: OpaquePointer) {
        self.stack = stack
    }

    /// Refers to a stack that stays its owner's: X509_chain_up_ref(3).
    convenience init?(copying stack: OpaquePointer?) {
        guard let stack, let copy = X509_chain_up_ref(stack) else { return nil }
        self.init(adopting: copy)
    }

    /// - Parameter certificates: the new stack has references of its own.
    convenience init?(of certificates: [OpaquePointer]) {
        guard let stack = connectd_x509_stack_new() else { return nil }
        self.init(adopting: stack)
        for certificate in certificates where connectd_x509_stack_push(stack, certificate) != 1 { return nil }
    }

    deinit { connectd_x509_stack_free(stack) }

    var count: Int { Int(max(0, connectd_certificate_count(stack))) }

    /// Valid as long as the stack; nil outside of it.
    subscript(index: Int) -> OpaquePointer? { connectd_certificate_at(stack, Int32(index)) }
}

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
