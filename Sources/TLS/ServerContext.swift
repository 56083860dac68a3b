internal import COpenSSL

/// The shared settings of HTTPS connections (SSL_CTX): a certificate with its key, and which clients may connect.
public final class ServerContext: Sendable {
    // SAFETY: an SSL_CTX has an atomic reference count and locks of its own, and nothing changes it after init.
    nonisolated(unsafe) let context: OpaquePointer
    /// The CAs of client certificates; nil if none is requested.
    private let clientAuthorities: TrustAnchors?
    /// The certificate that clients see, with its chain.
    public let certificate: ClientCertificate

    /// The ciphers of TLS 1.2: forward secrecy and authenticated encryption, which clients have supported for ten years.
    /// TLS 1.3 uses OpenSSL's defaults.
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// Allows TLS 1.2 and 1.3, without renegotiation, compression and resumption. So a replaced certificate is used at once,
    /// and no client returns by a session that other rules admitted.
    /// - Parameter clientAuthorities: nil to admit clients without a certificate.
    /// - Throws: if OpenSSL rejects the certificate or key.
    public init(certificate: ClientCertificate, clientAuthorities: TrustAnchors?) throws(TLSMaterialError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw TLSMaterialError("could not be loaded: out of memory")
        }
        self.context = context
        self.certificate = certificate
        self.clientAuthorities = clientAuthorities
        SSL_CTX_set_security_level(context, 2)
        connectd_ssl_ctx_set_server_options(context)
        connectd_ssl_ctx_set_no_session_cache(context)
        connectd_ssl_ctx_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
        guard connectd_ssl_ctx_set_versions(context, TLS1_2_VERSION, TLS1_3_VERSION) == 1,
            SSL_CTX_set_cipher_list(context, Self.ciphers) == 1, certificate.use(in: context)
        else { throw TLSMaterialError("has a certificate or key that OpenSSL rejects; it may be too weak") }
        if let clientAuthorities { try demandCertificates(of: clientAuthorities) }
    }

    deinit { SSL_CTX_free(context) }

    /// Whether clients without a certificate are refused.
    public var demandsCertificate: Bool { clientAuthorities != nil }

    /// Whether this context admits every client that `earlier` admits.
    public func admitsClients(of earlier: ServerContext) -> Bool {
        guard let clientAuthorities else { return true }
        return earlier.clientAuthorities.map(clientAuthorities.includesAll) ?? false
    }

    /// A chain can end at any listed certificate, even an intermediate one (X509_V_FLAG_PARTIAL_CHAIN).
    private func demandCertificates(of authorities: TrustAnchors) throws(TLSMaterialError) {
        guard let store = SSL_CTX_get_cert_store(context), authorities.addAll(to: store),
            X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN)) == 1, authorities.nameAll(in: context)
        else { throw TLSMaterialError("could not be loaded: out of memory") }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
}

/// ALPN (RFC 7301, section 3.2): selects HTTP/1.1. A client that offers only other protocols gets a fatal alert.
private func selectProtocol(
    _: OpaquePointer?, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ selectedLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    let known = Array("http/1.1".utf8)
    var offers = UnsafeBufferPointer(start: offered, count: Int(offeredLength))[...]
    while let length = offers.first.map(Int.init), offers.count > length {
        let name = offers.dropFirst().prefix(length)
        if name.elementsEqual(known), let start = UnsafeBufferPointer(rebasing: name).baseAddress {
            selected?.pointee = start
            selectedLength?.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        offers = offers.dropFirst(1 + length)
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
