internal import CheckModel

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
