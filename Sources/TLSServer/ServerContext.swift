internal import COpenSSL
public import TLSClient

/// What connections of an HTTPS listener have in common (SSL_CTX): a certificate with its key, and who may connect.
public final class ServerContext: Sendable {
    // SAFETY: an SSL_CTX is counted by atomic operations and locks itself; nothing here changes it once it is made.
    nonisolated(unsafe) let context: OpaquePointer
    /// Whether clients without a certificate of these authorities are refused.
    public let demandsCertificate: Bool

    /// TLS 1.2 and 1.3, without renegotiation, compression and resumption: a replaced certificate is in force at once.
    /// - Parameter clientAuthorities: nil lets everybody connect.
    /// - Throws: where OpenSSL does not take the certificate.
    public init(certificate: ClientCertificate, clientAuthorities: TrustAnchors?) throws(TLSMaterialError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw TLSMaterialError("finds no memory") }
        self.context = context
        demandsCertificate = clientAuthorities != nil
        SSL_CTX_set_security_level(context, 2)
        connectd_ssl_ctx_set_server_options(context)
        connectd_ssl_ctx_set_no_session_cache(context)
        connectd_ssl_ctx_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        guard connectd_ssl_ctx_set_versions(context, TLS1_2_VERSION, TLS1_3_VERSION) == 1, certificate.use(in: context)
        else { throw TLSMaterialError("has a certificate or key that OpenSSL does not take, too weak perhaps") }
        guard let clientAuthorities else { return }
        guard let store = SSL_CTX_get_cert_store(context), clientAuthorities.addAll(to: store) else {
            throw TLSMaterialError("finds no memory")
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    deinit { SSL_CTX_free(context) }
}
