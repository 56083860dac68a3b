internal import COpenSSL

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
