import COpenSSL

/// The server's side of one TLS connection, between buffers in memory: whoever owns it carries the bytes.
///
/// The thread of handshakes hands it over to a worker's, once.
public final class ServerSession: @unchecked Sendable {
    // SAFETY: one thread after the other has it, never two: whoever shook hands keeps nothing of it behind the lock of the
    // inbox in which it goes to its worker, and OpenSSL binds an SSL to no thread.
    public enum Progress: Hashable {
        case done
        /// More bytes of the peer are needed.
        case wantsInput
        /// The peer has said that it sends no more.
        case closed
        case failed
    }

    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// Why it failed, in OpenSSL's words.
    public private(set) var failure: String?

    /// nil where OpenSSL finds no memory.
    public init?(_ context: ServerContext) {
        guard let ssl = SSL_new(context.context) else { return nil }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            return nil
        }
        // From here on both are the SSL's: SSL_free frees them.
        SSL_set_bio(ssl, input, output)
        SSL_set_accept_state(ssl)
        (self.ssl, self.input, self.output) = (ssl, input, output)
    }

    deinit { SSL_free(ssl) }

    /// Who the client is by its certificate, which was verified; nil where none was asked for.
    public var clientName: String? {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        return CertificateName.short(of: certificate)
    }

    /// Bytes of the peer.
    public func feed(_ bytes: ArraySlice<UInt8>) {
        _ = bytes.withUnsafeBytes { BIO_write(input, $0.baseAddress, Int32(clamping: $0.count)) }
    }

    public func handshake() -> Progress {
        ERR_clear_error()
        return progress(SSL_do_handshake(ssl))
    }

    /// What the peer has said, of several records where they are small; `bytes` is empty unless it is `done`.
    public func read() -> (progress: Progress, bytes: [UInt8]) {
        ERR_clear_error()
        var ending = Progress.done
        let bytes = [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
            while ending == .done, count < buffer.count {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[count...])
                let result = SSL_read(ssl, rest.baseAddress, Int32(clamping: rest.count))
                count += Int(max(result, 0))
                ending = progress(result)
            }
        }
        // What ended it is said again by the next call.
        return (bytes.isEmpty ? ending : .done, bytes)
    }

    /// - Returns: false where the connection is broken.
    public func write(_ bytes: [UInt8]) -> Bool {
        ERR_clear_error()
        return SSL_write(ssl, bytes, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count)
    }

    /// Says that nothing more is sent: close_notify.
    public func close() {
        ERR_clear_error()
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// How much is to be sent to the peer.
    public var outputCount: Int { Int(clamping: BIO_ctrl_pending(output)) }

    /// What is to be sent to the peer.
    public func takeOutput() -> [UInt8] {
        let count = BIO_ctrl_pending(output)
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = Int(max(BIO_read(output, buffer.baseAddress, Int32(clamping: count)), 0))
        }
    }

    private var reason: String {
        let verdict = SSL_get_verify_result(ssl)
        if verdict != Int(X509_V_OK) { return String(cString: X509_verify_cert_error_string(verdict)) }
        return ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) } ?? "no reason is given"
    }

    private func progress(_ result: Int32) -> Progress {
        if result > 0 { return .done }
        defer { ERR_clear_error() }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        case _:
            failure = failure ?? reason
            return .failed
        }
    }
}
