internal import COpenSSL

/// The server side of one TLS connection. It reads and writes memory buffers; the owner transfers the bytes.
///
/// The handshake thread passes it to a worker's thread, once.
public final class ServerSession: @unchecked Sendable {
    // SAFETY: only one thread at a time uses it. The handshake thread keeps no reference after it has put the session into
    // the worker's inbox, whose lock orders the accesses. OpenSSL does not bind an SSL to a thread.
    // It is not a ~Copyable struct: it passes through an array, which would need a box for it, and the box is this class.
    public enum Progress: Hashable {
        case done
        /// More bytes of the peer are needed.
        case wantsInput
        /// The peer has sent a close_notify.
        case closed
        case failed
    }

    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// OpenSSL's reason for a failure; nil before one.
    public private(set) var failure: String?

    /// nil if OpenSSL is out of memory.
    public init?(_ context: ServerContext) {
        guard let ssl = SSL_new(context.context) else { return nil }
        guard let input = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            return nil
        }
        guard let output = BIO_new(BIO_s_mem()) else {
            BIO_free(input)
            SSL_free(ssl)
            return nil
        }
        // The SSL owns both BIOs from now on: SSL_free frees them.
        SSL_set_bio(ssl, input, output)
        SSL_set_accept_state(ssl)
        (self.ssl, self.input, self.output) = (ssl, input, output)
    }

    deinit { SSL_free(ssl) }

    /// The name in the client's verified certificate; nil if none was requested.
    public var clientName: String? {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        return CertificateName.short(of: certificate)
    }

    /// Adds bytes that the peer has sent.
    /// - Returns: false if there is no memory: the connection must end.
    public func feed(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { BIO_write(input, $0.baseAddress, Int32(clamping: $0.count)) } == Int32(bytes.count)
    }

    public func handshake() -> Progress {
        ERR_clear_error()
        return progress(SSL_do_handshake(ssl))
    }

    /// The plaintext of the peer, of several records if they are small. `bytes` is empty unless the progress is `done`.
    public func read() -> (progress: Progress, bytes: [UInt8]) {
        ERR_clear_error()
        var end = Progress.done
        let bytes = [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
            while end == .done, count < buffer.count {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[count...])
                let result = SSL_read(ssl, rest.baseAddress, Int32(clamping: rest.count))
                count += Int(max(result, 0))
                end = progress(result)
            }
        }
        // The next call reports what ended this one.
        return (bytes.isEmpty ? end : .done, bytes)
    }

    /// Encrypts bytes for the peer; `takeOutput` returns the records.
    /// - Returns: false if the connection has failed.
    public func write(_ bytes: [UInt8]) -> Bool {
        ERR_clear_error()
        return SSL_write(ssl, bytes, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count)
    }

    /// Sends a close_notify.
    public func close() {
        ERR_clear_error()
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// How many bytes are to be sent to the peer.
    public var outputCount: Int { Int(clamping: BIO_ctrl_pending(output)) }

    /// Takes the bytes that are to be sent to the peer.
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
        return ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) } ?? "OpenSSL gives no reason"
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
