internal import COpenSSL

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
