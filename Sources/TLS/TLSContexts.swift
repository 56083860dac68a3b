internal import COpenSSL
public import CheckModel
public import ErrorCatalogue
public import NetworkTypes
public import SocketIO

/// The OpenSSL contexts (SSL_CTX) of one worker. Each is created once for a combination of options, and reused.
///
/// A context costs as much as half a handshake, and its authorities are read from files. A check should pay for
/// neither. All methods run on the reactor's thread, and trap on other threads.
public final class TLSContexts: Sendable {
    private let cache: ThreadBound<ContextCache>

    public init(reactor: Reactor) {
        cache = ThreadBound(ContextCache(), thread: reactor.thread)
    }

    /// A new connection whose handshake has not started.
    ///
    /// Entries that a request names are looked up in `material`. Contexts of an earlier material are discarded.
    /// - Parameter host: the target's host; nil for a UNIX-domain socket, whose only name is `server_name`.
    /// - Throws: TLS_PROTOCOL if OpenSSL rejects the options, or the material does not have the entry (any more).
    public func channel(
        for options: TLSOptions, host: Host?, material: TLSMaterial
    ) throws(TLSHandshakeFailure) -> TLSChannel {
        let context = try cache.with { (cache) throws(TLSHandshakeFailure) in
            try cache.context(for: options, material: material)
        }
        return try TLSChannel(options: options, peer: PeerName(options: options, host: host), context: context)
    }

    /// Why OpenSSL would reject `tls.ciphers`; nil if it accepts them.
    public static func flaw(inCiphers ciphers: String) -> String? {
        CipherList.flaw(in: ciphers)
    }
}

/// The contexts of a worker, by their options.
struct ContextCache {
    /// The maximum number of cached contexts. Requests choose the options, so the cache must be limited.
    static let capacity = 64

    private var material: TLSMaterial?
    private var contexts: [ContextKey: TLSContext] = [:]
    private var stores: [String?: AuthorityStore] = [:]
    private let reports = ReportMemory()

    /// - Throws: TLS_PROTOCOL if the context cannot be created.
    mutating func context(
        for options: TLSOptions, material: TLSMaterial
    ) throws(TLSHandshakeFailure) -> TLSContext {
        if self.material !== material { adopt(material) }
        let key = ContextKey(options)
        if let context = contexts[key] { return context }
        let failedAllocations = OpenSSLMemory.failureCount
        let context = try TLSContext(
            key, authorities: store(of: key.authority), certificate: certificate(of: key.clientCertificate),
            reports: reports)
        try Self.check(failedAllocations)
        if contexts.count >= Self.capacity { contexts.removeAll() }
        contexts[key] = context
        return context
    }

    /// What was made while memory was short may lack something, and is not kept.
    private static func check(_ failedAllocations: Int) throws(TLSHandshakeFailure) {
        guard OpenSSLMemory.failureCount == failedAllocations else { throw .ofOurOwn("OpenSSL is out of memory") }
    }

    /// After a reload, the same names may refer to other files, including those of the system.
    private mutating func adopt(_ material: TLSMaterial) {
        self.material = material
        contexts.removeAll()
        stores.removeAll()
    }

    private mutating func store(of authority: String?) throws(TLSHandshakeFailure) -> AuthorityStore {
        if let store = stores[authority] { return store }
        let failedAllocations = OpenSSLMemory.failureCount
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
        try Self.check(failedAllocations)
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

/// The options that differ between contexts (SSL_CTX). The others are set for each connection (SSL).
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

    /// TLS 1.2 by default. A lower maximum requests exactly that version.
    var lowestVersion: TLSVersion { minimumVersion ?? min(.tls12, highestVersion) }
    var highestVersion: TLSVersion { maximumVersion ?? .tls13 }
}

/// The authorities for verifying chains (X509_STORE), shared by a worker's contexts.
final class AuthorityStore {
    let store: OpaquePointer
    /// Chains that were already verified against this store.
    let memory = ChainMemory()

    private init?(filledBy fill: (OpaquePointer) -> Bool) {
        guard let store = X509_STORE_new() else { return nil }
        self.store = store
        guard fill(store) else { return nil }
    }

    deinit { X509_STORE_free(store) }

    /// OpenSSL's default paths, or SSL_CERT_FILE and SSL_CERT_DIR. The file is read here. Each certificate of the
    /// directory is read once, when a chain needs it.
    /// - Returns: nil if memory or descriptors are short. A store without its authorities would reject every peer.
    static func system() -> AuthorityStore? {
        AuthorityStore { connectd_x509_store_add_system($0) == 1 }
    }

    /// Configured authorities. An operator who lists an intermediate or a server certificate wants to trust it. So a
    /// chain can end there (X509_V_FLAG_PARTIAL_CHAIN), as in most other programs.
    convenience init?(of anchors: TrustAnchors) {
        self.init { store in
            anchors.addAll(to: store) && X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN)) == 1
        }
    }
}
