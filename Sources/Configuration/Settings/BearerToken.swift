/// A token that lets its bearer ask: `Authorization: Bearer …`, RFC 6750.
package struct BearerToken: Sendable {
    /// Who it is, 1 … 64 letters, digits, `.`, `_`, `-`: for logs and metrics. Unique among the tokens.
    package let name: String
    package let secret: Secret
}
