package import CheckModel
package import TLSClient

/// `tls_config` of a module, its files read.
package struct ModuleTLS: Sendable {
    package var skipsVerification = false
    package var serverName: String?
    package var minimumVersion: TLSVersion?
    package var maximumVersion: TLSVersion?
    /// As they were written: `ca_file`, `cert_file`, `key_file`. A key that stood in the file itself is not among them.
    package var files: [(key: String, name: String)] = []
    /// The certificates that stood in the file itself: `ca` and `cert`.
    package var texts: [(key: String, text: String)] = []
    /// Whether a key stood in the file itself.
    package var hasInlineKey = false
    /// nil: the system's authorities.
    package var authorities: TrustAnchors?
    package var certificate: ClientCertificate?
    /// Why no handshake can begin: a file that cannot be read, a certificate without its key. As in blackbox_exporter, the
    /// module loads all the same, and a probe fails when it comes to TLS.
    package var defects: [String] = []

    package init() {}

    /// Whether anything is said at all.
    package var isDefault: Bool {
        !skipsVerification && serverName == nil && minimumVersion == nil && maximumVersion == nil && files.isEmpty
            && texts.isEmpty && !hasInlineKey
    }
}
