internal import COpenSSL

/// The bearer tokens that the service accepts, RFC 6750.
package struct TokenRule: Sendable {
    private struct Entry: Sendable {
        let name: String
        let digest: [UInt8]
    }

    private let entries: [Entry]

    /// - Parameter tokens: names and secrets; only digests are kept.
    package init(tokens: [(name: String, secret: [UInt8])]) {
        entries = tokens.map { Entry(name: $0.name, digest: Self.digest(of: $0.secret)) }
    }

    /// Whether no tokens are configured.
    package var isOpen: Bool { entries.isEmpty }

    /// The name of the token in an Authorization header field; nil if none matches.
    ///
    /// All digests are compared in constant time, so that neither time nor the number of tokens reveals a secret.
    package func name(authorization: String?) -> String? {
        guard let authorization, let secret = Self.secret(in: authorization) else { return nil }
        let digest = Self.digest(of: Array(secret.utf8))
        var found: String?
        for entry in entries where CRYPTO_memcmp(entry.digest, digest, digest.count) == 0 { found = entry.name }
        return found
    }

    private static func secret(in value: String) -> Substring? {
        guard let space = value.firstIndex(of: " "), value[..<space].lowercased() == "bearer" else { return nil }
        let secret = value[space...].drop { $0 == " " }
        return secret.isEmpty ? nil : secret
    }

    /// SHA-256.
    private static func digest(of secret: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256(secret, secret.count, &digest)
        return digest
    }
}
