internal import COpenSSL
internal import CheckModel
internal import ErrorCatalogue

/// An OpenSSL connection (SSL) between two memory buffers (BIO_s_mem(3)): bytes from the peer, and bytes to send to it.
///
/// Each step returns at once, with its result or because it needs more bytes. Nothing may happen between a call and
/// SSL_get_error(3), because its result depends on the thread's error queue.
struct TLSSession: ~Copyable {
    enum Step {
        case done
        /// All input is consumed.
        case wantsMore
        /// The peer has sent close_notify.
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
        // From here on, the SSL owns both.
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        self.ssl = ssl
        self.input = input
        self.output = output
    }

    deinit { SSL_free(ssl) }

    /// Adds bytes from the peer. This allocates memory; the callers limit the amount.
    /// - Returns: false if there is no memory.
    borrowing func feed(_ bytes: [UInt8]) -> Bool {
        BIO_write(input, bytes, Int32(bytes.count)) == Int32(bytes.count)
    }

    /// Whether a read may return bytes without more input.
    var hasInput: Bool { BIO_ctrl_pending(input) > 0 || SSL_has_pending(ssl) == 1 }

    /// The number of bytes that `takeOutput` would return.
    var outputCount: Int { BIO_ctrl_pending(output) }

    var isDone: Bool { SSL_is_init_finished(ssl) == 1 }

    var isTLS13: Bool { SSL_version(ssl) == TLS1_3_VERSION }

    /// Appends the bytes to send to the peer to `bytes`.
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

    /// Processes records until plaintext is available (`done`), and leaves the plaintext there.
    borrowing func peek() -> Step {
        var byte: UInt8 = 0
        ERR_clear_error()
        return step(SSL_peek(ssl, &byte, 1))
    }

    /// Reads plaintext; `bytes` is empty unless the step is `done`.
    borrowing func read(atMost capacity: Int, into bytes: inout [UInt8]) -> Step {
        ERR_clear_error()
        var result: Int32 = 0
        bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            result = SSL_read(ssl, buffer.baseAddress, Int32(clamping: capacity))
            filled = max(0, Int(result))
        }
        return step(result)
    }

    /// Encrypts plaintext, which must not be empty: all of it if the step is `done`.
    borrowing func write(_ bytes: ArraySlice<UInt8>) -> Step {
        ERR_clear_error()
        let result = bytes.withUnsafeBytes { SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) }
        return step(result)
    }

    /// Writes a close_notify to the output, and does not wait for the peer's.
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

/// Certificates in order (STACK_OF(X509)), with a reference to each.
final class CertificateStack {
    let stack: OpaquePointer

    /// - Parameter stack: has a reference to each certificate. This value takes ownership of the stack and the
    /// references.
    init(adopting stack: OpaquePointer) {
        self.stack = stack
    }

    /// Makes a new stack with its own references to the same certificates: X509_chain_up_ref(3).
    convenience init?(copying stack: OpaquePointer?) {
        guard let stack, let copy = X509_chain_up_ref(stack) else { return nil }
        self.init(adopting: copy)
    }

    /// - Parameter certificates: the new stack takes its own references.
    convenience init?(of certificates: [OpaquePointer]) {
        guard let stack = connectd_x509_stack_new() else { return nil }
        self.init(adopting: stack)
        for certificate in certificates where connectd_x509_stack_push(stack, certificate) != 1 { return nil }
    }

    deinit { connectd_x509_stack_free(stack) }

    var count: Int { Int(max(0, connectd_certificate_count(stack))) }

    /// Valid during the lifetime of the stack; nil for an invalid index.
    subscript(index: Int) -> OpaquePointer? { connectd_certificate_at(stack, Int32(index)) }
}

/// What OpenSSL's callbacks report about a handshake: facts that OpenSSL does not expose, or discards if a handshake
/// fails.
///
/// The callbacks find it through the SSL, which the channel frees first.
final class HandshakeRecord {
    /// Whether a chain that cannot be verified ends the handshake.
    let mustVerify: Bool
    /// The security level for the keys and signatures of certificates.
    let certificateLevel: Int32
    /// The expected name, and the store to verify against.
    let peer: PeerName
    let authorities: AuthorityStore
    private let expectedAlert: TLSAlert?
    private let failedAllocations = OpenSSLMemory.failureCount

    private(set) var hasMessages = false
    private(set) var hasServerHello = false
    private(set) var isAskedForCertificate = false
    private(set) var hasAnsweredWithoutCertificate = false
    private(set) var hasSentCertificate = false
    /// TLS 1.3: the server has sent a message after our last flight, so it has accepted that flight.
    private(set) var hasTicket = false
    /// The last alert other than close_notify.
    private(set) var peerAlert: TLSAlert?
    private(set) var ownAlert: TLSAlert?
    private(set) var hasExpectedAlert = false

    /// The chain as the peer sent it.
    private(set) var chain: CertificateStack?
    /// The chain up to an authority; nil unless verified.
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

    /// Whether OpenSSL has been short of memory since the connection began, here or in another connection: then its reason
    /// for a failure says nothing about the peer.
    var isShortOfMemory: Bool { OpenSSLMemory.failureCount != failedAllocations }

    /// Whether a chain was sent, leads to an authority, and contains the expected name.
    var isVerified: Bool { verifiedChain != nil }

    /// Called for each message of the handshake, with its type (RFC 8446, 4).
    func noteMessage(type: Int32, length: Int, isOurs: Bool) {
        switch (type, isOurs) {
        case (SSL3_MT_CERTIFICATE, true):
            // An empty list: 4 bytes of header, 3 of length, and in TLS 1.3 one more for an empty context.
            hasSentCertificate = length > 8
            hasAnsweredWithoutCertificate = !hasSentCertificate
        case (_, true): break
        case (SSL3_MT_SERVER_HELLO, false): hasServerHello = true
        case (SSL3_MT_CERTIFICATE_REQUEST, false): isAskedForCertificate = true
        case (SSL3_MT_NEWSESSION_TICKET, false): hasTicket = true
        case _: break
        }
        // A HelloRequest is not an answer to our messages.
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

    /// Called after a chain was verified.
    /// - Parameter error: the first error of X509_verify_cert(3); nil if the chain is valid.
    func noteVerification(
        chain: CertificateStack?, verifiedChain: CertificateStack?, error: CertificateVerifyError?
    ) {
        self.chain = chain
        self.verifiedChain = verifiedChain
        verifyError = error
    }
}
