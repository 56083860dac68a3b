internal import CheckModel

/// What makes one context (SSL_CTX) differ from another; the rest is told to each connection (SSL).
struct ContextKey: Hashable {
    let minimumVersion: TLSVersion?
    let maximumVersion: TLSVersion?
    let ciphers: String?
    let authority: String?
    let clientCertificate: String?
    let legacyRenegotiation: Bool

    init(_ options: TLSOptions) {
        minimumVersion = options.minimumVersion
        maximumVersion = options.maximumVersion
        ciphers = options.ciphers
        authority = options.authority
        clientCertificate = options.clientCertificate
        legacyRenegotiation = options.legacyRenegotiation
    }

    /// TLS 1.2, unless less was asked for: a maximum below is the wish for just that version.
    var lowestVersion: TLSVersion { minimumVersion ?? min(.tls12, highestVersion) }
    var highestVersion: TLSVersion { maximumVersion ?? .tls13 }
}
