internal import COpenSSL
public import CheckModel
public import ErrorCatalogue
public import NetworkTypes
public import SocketIO

/// One worker's OpenSSL contexts (SSL_CTX): made once for each way in which requests ask for TLS, and used again.
///
/// A context costs as much as half a handshake, and what it trusts is read from files: neither is to be paid for each check.
/// Everything of it happens on the reactor's thread, and traps elsewhere.
public final class TLSContexts: Sendable {
    private let cache: ThreadBound<ContextCache>

    public init(reactor: Reactor) {
        cache = ThreadBound(ContextCache(), thread: reactor.thread)
    }

    /// A new connection that has not begun its handshake.
    ///
    /// What is asked for by names is looked up in `material`; contexts made from another material are given up.
    /// - Parameter host: the target's; nil for a UNIX-domain socket, which has no name to send or to verify but `server_name`.
    /// - Throws: TLS_PROTOCOL where OpenSSL takes no such options, or the material has no such entry (any more).
    public func channel(
        for options: TLSOptions, host: Host?, material: TLSMaterial
    ) throws(TLSHandshakeFailure) -> TLSChannel {
        let context = try cache.with { (cache) throws(TLSHandshakeFailure) in
            try cache.context(for: options, material: material)
        }
        return try TLSChannel(options: options, peer: PeerName(options: options, host: host), context: context)
    }

    /// Why OpenSSL would not take `tls.ciphers`; nil where it does.
    public static func flaw(inCiphers ciphers: String) -> String? {
        CipherList.flaw(in: ciphers)
    }
}

/// The contexts of a worker, by what was asked for.
struct ContextCache {
    /// So many ways to ask for TLS are remembered; requests choose them, so there has to be an end.
    static let capacity = 64

    private var material: TLSMaterial?
    private var contexts: [ContextKey: TLSContext] = [:]
    private var stores: [String?: AuthorityStore] = [:]
    private let reports = ReportMemory()

    /// - Throws: TLS_PROTOCOL where no such context can be made.
    mutating func context(
        for options: TLSOptions, material: TLSMaterial
    ) throws(TLSHandshakeFailure) -> TLSContext {
        if self.material !== material { adopt(material) }
        let key = ContextKey(options)
        if let context = contexts[key] { return context }
        let context = try TLSContext(
            key, authorities: store(of: key.authority), certificate: certificate(of: key.clientCertificate),
            reports: reports)
        if contexts.count >= Self.capacity { contexts.removeAll() }
        contexts[key] = context
        return context
    }

    /// After a reload the same names may stand for other files, the system's among them.
    private mutating func adopt(_ material: TLSMaterial) {
        self.material = material
        contexts.removeAll()
        stores.removeAll()
    }

    private mutating func store(of authority: String?) throws(TLSHandshakeFailure) -> AuthorityStore {
        if let store = stores[authority] { return store }
        let store: AuthorityStore?
        if let authority {
            guard let anchors = material?.authorities[authority] else {
                throw TLSHandshakeFailure.notBegun("no authorities are configured by this name")
            }
            store = AuthorityStore(of: anchors)
        } else {
            store = AuthorityStore.system()
        }
        guard let store else { throw TLSContext.refusal("a store of authorities") }
        stores[authority] = store
        return store
    }

    private func certificate(of name: String?) throws(TLSHandshakeFailure) -> ClientCertificate? {
        guard let name else { return nil }
        guard let certificate = material?.clientCertificates[name] else {
            throw TLSHandshakeFailure.notBegun("no client certificate is configured by this name")
        }
        return certificate
    }
}

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
