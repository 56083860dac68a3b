package import Configuration
internal import COpenSSL

/// The bearer tokens that the service accepts, RFC 6750.
package struct TokenRule: Sendable {
    private let tokens: [BearerToken]

    package init(tokens: [BearerToken]) {
        self.tokens = tokens
    }

    /// Whether no tokens are configured.
    package var isOpen: Bool { tokens.isEmpty }

    /// The token in an Authorization header field, also if it has expired; nil if none matches.
    ///
    /// All digests are compared in constant time, so that neither time nor the number of tokens reveals a secret.
    package func token(authorization: String?) -> BearerToken? {
        guard let authorization, let secret = Self.secret(in: authorization) else { return nil }
        let digest = TokenDigest.digest(of: Array(secret.utf8))
        var found: BearerToken?
        for token in tokens where CRYPTO_memcmp(token.digest.reveal(), digest, digest.count) == 0 { found = token }
        return found
    }

    private static func secret(in value: String) -> Substring? {
        guard let space = value.firstIndex(of: " "), value[..<space].lowercased() == "bearer" else { return nil }
        let secret = value[space...].drop { $0 == " " }
        return secret.isEmpty ? nil : secret
    }
}
