internal import COpenSSL

/// The authorities that chains are verified against (X509_STORE), shared by a worker's contexts.
final class AuthorityStore {
    let store: OpaquePointer
    /// Chains that led here before.
    let memory = ChainMemory()

    private init?(filledBy fill: (OpaquePointer) -> Bool) {
        guard let store = X509_STORE_new() else { return nil }
        self.store = store
        guard fill(store) else { return nil }
    }

    deinit { X509_STORE_free(store) }

    /// OpenSSL's default paths, or SSL_CERT_FILE and SSL_CERT_DIR: X509_STORE_set_default_paths(3). The file is read here, the
    /// directory's certificates when a chain asks for them, and each once.
    static func system() -> AuthorityStore? {
        AuthorityStore { X509_STORE_set_default_paths($0) == 1 }
    }

    /// Configured ones. Whoever lists an intermediate or a server's own certificate means to trust it, so a chain may end
    /// there (X509_V_FLAG_PARTIAL_CHAIN), as in most other programs.
    convenience init?(of anchors: TrustAnchors) {
        self.init { store in
            anchors.addAll(to: store) && X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN)) == 1
        }
    }
}
