internal import COpenSSL
internal import CheckModel
internal import ErrorCatalogue

/// What connections have in common (SSL_CTX).
final class TLSContext {
    /// Security level 2 of SSL_CTX_set_security_level(3): keys of RSA 2048 or better, no SHA-1 in signatures.
    static let securityLevel: Int32 = 2
    /// Certificates between the peer's and the authority's: the default of OpenSSL (X509_VERIFY_PARAM_set_depth(3)). The
    /// 100 KiB that a chain may have bound the work as well.
    private static let verifyDepth: Int32 = 100

    let context: OpaquePointer
    /// Kept for judging staples; the context has a reference of its own.
    let authorities: AuthorityStore
    /// Of certificates that peers have shown, one for all contexts of the worker.
    let reports: ReportMemory
    /// The level for certificates, whatever the level of the connection. 2, unless `ciphers` chose another by `@SECLEVEL=`.
    let certificateLevel: Int32
    /// `ciphers` chose the level: then it holds with `verify: false` too.
    let choosesLevel: Bool

    /// - Throws: TLS_PROTOCOL where OpenSSL does not take it.
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
        // TLS 1.0 and 1.1 sign with MD5 and SHA-1 together, which OpenSSL 3.0 allows at level 0 only. The level of
        // certificates stays.
        if key.lowestVersion < .tls12 { SSL_CTX_set_security_level(context, 0) }
    }

    private func setBehaviour() {
        SSL_CTX_set1_cert_store(context, authorities.store)
        connectd_ssl_ctx_set_client_options(context)
        // Each check is a whole handshake. Tickets are wanted all the same: they say that our certificate was accepted.
        connectd_ssl_ctx_set_no_session_cache(context)
        // A connection that is held for a minute needs no buffers of 34 KiB meanwhile.
        connectd_ssl_ctx_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_verify_depth(context, Self.verifyDepth)
        SSL_CTX_set_cert_verify_callback(context, verifyChain, nil)
        SSL_CTX_set_msg_callback(context, observeMessage)
        // Who has no subjectAltName has no name (RFC 9525, 6.3): the common name counts for nobody else either.
        X509_VERIFY_PARAM_set_hostflags(
            SSL_CTX_get0_param(context),
            UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    }

    /// The failure behind which OpenSSL's reason stands.
    static func refusal(_ what: String) -> TLSHandshakeFailure {
        let reason = OpenSSLError.takeFirst()?.reason ?? "no reason is given"
        return .notBegun("OpenSSL does not take \(what): \(reason)")
    }
}

extension TLSHandshakeFailure {
    /// A failure of ours, before the peer could hear anything.
    static func notBegun(_ message: String) -> TLSHandshakeFailure {
        var failure = TLSHandshakeFailure(.protocolViolation, message: message)
        failure.subject = .preparation
        return failure
    }
}

extension TLSVersion {
    /// As the protocol writes it, RFC 8446, 4.2.1.
    var number: Int32 {
        switch self {
        case .tls10: TLS1_VERSION
        case .tls11: TLS1_1_VERSION
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}

/// `tls.ciphers`, in the two lists that OpenSSL wants: TLS 1.3 has suites of its own.
///
/// A list that names none of one kind leaves that kind at its default, as with `openssl s_client`: who wants only the named
/// ones sets `min_version` or `max_version` too.
struct CipherList {
    /// Colon-separated, for SSL_CTX_set_ciphersuites(3); nil: none was named.
    let suites: String?
    /// For SSL_CTX_set_cipher_list(3), which is for TLS 1.2 and below; nil: none was named.
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

    /// - Returns: false where OpenSSL knows none of the names of one kind.
    func apply(to context: OpaquePointer) -> Bool {
        ERR_clear_error()
        if let suites, SSL_CTX_set_ciphersuites(context, suites) != 1 { return false }
        if let list, SSL_CTX_set_cipher_list(context, list) != 1 { return false }
        return true
    }

    static func flaw(in ciphers: String) -> String? {
        guard !ciphers.isEmpty else { return "names no cipher" }
        guard ciphers.utf8.count <= maximumBytes else { return "is longer than \(maximumBytes) bytes" }
        // OpenSSL also splits at white space, commas and semicolons; C would stop at a NUL.
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
