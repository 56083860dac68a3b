import COpenSSL

/// An OCSP response that a server staples. It has to outlive the server's context.
final class Staple: Sendable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// SSL_CTX_set_tlsext_status_cb(3), which is a macro.
    func set(on context: OpaquePointer) {
        let callBack: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = staple(ssl:argument:)
        SSL_CTX_callback_ctrl(
            context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, unsafeBitCast(callBack, to: (@convention(c) () -> Void).self))
        SSL_CTX_ctrl(
            context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    /// A copy for OpenSSL, which frees it.
    fileprivate func give(to ssl: OpaquePointer?) {
        let copy = CRYPTO_memdup(bytes, bytes.count, #file, #line)
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP, bytes.count, copy)
    }
}

private func staple(ssl: OpaquePointer?, argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let argument else { return SSL_TLSEXT_ERR_NOACK }
    Unmanaged<Staple>.fromOpaque(argument).takeUnretainedValue().give(to: ssl)
    return SSL_TLSEXT_ERR_OK
}
