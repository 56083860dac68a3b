internal import COpenSSL
internal import CheckModel
internal import ErrorCatalogue

/// The shared settings of connections (SSL_CTX).
final class TLSContext {
    /// Security level 2 of SSL_CTX_set_security_level(3): RSA keys of at least 2048 bits, and no SHA-1 signatures.
    static let securityLevel: Int32 = 2
    /// The maximum number of intermediates: OpenSSL's default (X509_VERIFY_PARAM_set_depth(3)). The limit of 100 KiB
    /// for a chain bounds the work too.
    private static let verifyDepth: Int32 = 100

    let context: OpaquePointer
    /// Used to verify staples. The context has its own reference.
    let authorities: AuthorityStore
    /// A cache of reports about certificates that peers have sent; shared by all contexts of the worker.
    let reports: ReportMemory
    /// The security level for certificates, independent of the connection's level. It is 2, unless `ciphers` sets
    /// another one with `@SECLEVEL=`.
    let certificateLevel: Int32
    /// Whether `ciphers` set the level. Then it applies with `verify: false` too.
    let choosesLevel: Bool

    /// - Throws: TLS_PROTOCOL if OpenSSL rejects the options.
    init(
        _ key: ContextKey, authorities: AuthorityStore, certificate: ClientCertificate?, reports: ReportMemory
    ) throws(TLSHandshakeFailure) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.refusal("a context") }
        self.context = context
        self.authorities = authorities
        self.reports = reports
        choosesLevel = key.ciphers?.contains("@SECLEVEL=") ?? false
        SSL_CTX_set_security_level(context, Self.securityLevel)
        let takesCiphers = key.ciphers.map { CipherList($0).apply(to: context) } ?? true
        certificateLevel = SSL_CTX_get_security_level(context)
        guard takesCiphers else { throw Self.refusal("these ciphers") }
        try setVersions(key)
        setBehaviour()
        if key.legacyRenegotiation { connectd_ssl_ctx_allow_legacy_renegotiation(context) }
        if let certificate {
            guard certificate.use(in: context) else { throw Self.refusal("this client certificate") }
        }
    }

    deinit { SSL_CTX_free(context) }

    private func setVersions(_ key: ContextKey) throws(TLSHandshakeFailure) {
        guard connectd_ssl_ctx_set_versions(context, key.lowestVersion.number, key.highestVersion.number) == 1 else {
            throw Self.refusal("these versions")
        }
        // TLS 1.0 and 1.1 sign with MD5 and SHA-1 together, which OpenSSL 3.0 allows only at level 0. The level for
        // certificates does not change.
        if key.lowestVersion < .tls12 { SSL_CTX_set_security_level(context, 0) }
    }

    private func setBehaviour() {
        SSL_CTX_set1_cert_store(context, authorities.store)
        connectd_ssl_ctx_set_client_options(context)
        // Each check is a full handshake. Tickets are still requested, because they prove that the server accepted our
        // certificate.
        connectd_ssl_ctx_set_no_session_cache(context)
        // A connection that stays open for a minute does not need buffers of 34 KiB.
        connectd_ssl_ctx_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_verify_depth(context, Self.verifyDepth)
        SSL_CTX_set_cert_verify_callback(context, verifyChain, nil)
        SSL_CTX_set_msg_callback(context, observeMessage)
        // A certificate without subjectAltName has no name (RFC 9525, 6.3). Other clients ignore the common name too.
        X509_VERIFY_PARAM_set_hostflags(
            SSL_CTX_get0_param(context),
            UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    }

    /// The failure that OpenSSL's reason causes.
    static func refusal(_ what: String) -> TLSHandshakeFailure {
        guard let error = OpenSSLError.takeFirst(), !error.isShortage else {
            return .ofOurOwn("OpenSSL is out of memory, or cannot read a file")
        }
        return .notBegun("OpenSSL does not take \(what): \(error.reason)")
    }
}

extension TLSHandshakeFailure {
    /// A failure on our side, before anything was sent.
    static func notBegun(_ message: String) -> TLSHandshakeFailure {
        var failure = TLSHandshakeFailure(.protocolViolation, message: message)
        failure.subject = .preparation
        return failure
    }

    /// A failure on our side at any time, such as a lack of memory.
    static func ofOurOwn(_ message: String) -> TLSHandshakeFailure {
        var failure = TLSHandshakeFailure(.protocolViolation, message: message)
        failure.subject = .shortage
        return failure
    }
}

extension TLSVersion {
    /// The version number of the protocol, RFC 8446, 4.2.1.
    var number: Int32 {
        switch self {
        case .tls10: TLS1_VERSION
        case .tls11: TLS1_1_VERSION
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}

/// `tls.ciphers`, split into OpenSSL's two lists, because TLS 1.3 has its own suites.
///
/// If a list names no entry of one kind, that kind keeps its default, as with `openssl s_client`. To allow only the
/// named entries, set `min_version` or `max_version` too.
struct CipherList {
    /// Colon-separated, for SSL_CTX_set_ciphersuites(3); nil if none is named.
    let suites: String?
    /// For SSL_CTX_set_cipher_list(3), which applies to TLS 1.2 and below; nil if none is named.
    let list: String?

    init(_ ciphers: String) {
        let words = ciphers.split(separator: ":", omittingEmptySubsequences: false)
        suites = Self.joined(words.filter { Self.suiteNames.contains(String($0)) })
        list = Self.joined(words.filter { !Self.suiteNames.contains(String($0)) })
    }

    /// RFC 8446, B.4.
    private static let suiteNames = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ]
    static let maximumBytes = 2048

    private static func joined(_ words: [Substring]) -> String? {
        words.isEmpty ? nil : words.joined(separator: ":")
    }

    /// - Returns: false if OpenSSL knows none of the names of one kind.
    func apply(to context: OpaquePointer) -> Bool {
        ERR_clear_error()
        if let suites, SSL_CTX_set_ciphersuites(context, suites) != 1 { return false }
        if let list, SSL_CTX_set_cipher_list(context, list) != 1 { return false }
        return true
    }

    static func flaw(in ciphers: String) -> String? {
        guard !ciphers.isEmpty else { return "names no cipher" }
        guard ciphers.utf8.count <= maximumBytes else { return "is longer than \(maximumBytes) bytes" }
        // OpenSSL also splits at white space, commas and semicolons. C would stop at a NUL.
        guard ciphers.utf8.allSatisfy(isOfName) else {
            return "may have letters, digits and the characters - _ + ! @ = : only"
        }
        guard let context = SSL_CTX_new(TLS_client_method()) else { return "cannot be judged for want of memory" }
        defer {
            SSL_CTX_free(context)
            ERR_clear_error()
        }
        return CipherList(ciphers).apply(to: context) ? nil : "names no cipher that OpenSSL has"
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case _: "-_+!@=:".utf8.contains(byte)
        }
    }
}
