internal import COpenSSL

/// PEM in memory (RFC 7468), as OpenSSL reads it.
enum PEM {
    /// Lends the bytes as a BIO of OpenSSL for the time of the call, with an empty queue of errors, which is empty again
    /// afterwards.
    /// - Returns: nil where OpenSSL finds no memory, or there are 2 GiB of bytes.
    static func withBytes<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result) -> Result? {
        bytes.withUnsafeBytes { buffer in
            guard let count = Int32(exactly: buffer.count), let bio = BIO_new_mem_buf(buffer.baseAddress, count) else {
                return nil
            }
            ERR_clear_error()
            defer {
                BIO_free(bio)
                ERR_clear_error()
            }
            return body(bio)
        }
    }

    /// The reason of the newest error in OpenSSL's queue, which names no bytes of the input: `bad base64 decode`.
    static var newestReason: String {
        let text = ERR_reason_error_string(ERR_peek_last_error())
        return text.map { String(cString: $0) } ?? "of no known form"
    }
}
