internal import COpenSSL
internal import NetworkTypes
internal import SocketIO

/// Finds the end of the chain that stays valid longest, among all chains from a peer's certificate to an authority.
///
/// X509_verify_cert(3) builds one chain. A peer that sends cross-signed certificates has several, and a program may use
/// any of them. Candidates are found by names alone. OpenSSL then verifies those that would be valid longer than its
/// own chain. Everything that a peer can multiply is limited. Beyond the limits, the result covers only the chains
/// found so far.
struct ChainSearch {
    /// Comparisons of a certificate with a possible issuer, about 1 µs each.
    private static let mostComparisons = 4096
    private static let mostChains = 32
    private static let longestChain = 10
    private static let mostSignatures = 24
    /// The time limit for the verifications of one search. A slow key is not tried after that.
    private static let verificationNanoseconds: Int64 = 10_000_000

    /// From the peer's certificate to one that is trusted. Borrowed from the stacks below.
    private struct Chain {
        let certificates: [OpaquePointer]
        let end: Int64
    }

    private let store: OpaquePointer
    private let level: Int32
    private let sent: [OpaquePointer]
    private let lookup: OpaquePointer
    /// Certificates from the store, by the sent certificate that they may have issued. They keep borrowed certificates
    /// alive.
    private var trusted: [OpaquePointer: CertificateStack] = [:]
    private var comparisons = 0
    private var chains: [Chain] = []

    /// - Parameters:
    ///   - sent: as the peer sent them, its own certificate first; they outlive the search.
    ///   - verified: the chain that OpenSSL has verified.
    ///   - level: the security level for keys and signatures.
    /// - Returns: seconds since 1970; nil if an end of the verified chain cannot be read.
    static func latestEnd(
        of sent: CertificateStack, verified: CertificateStack, store: OpaquePointer, level: Int32
    ) -> Int64? {
        guard let known = end(of: verified) else { return nil }
        defer { ERR_clear_error() }
        guard let lookup = X509_STORE_CTX_new() else { return known }
        defer { X509_STORE_CTX_free(lookup) }
        guard X509_STORE_CTX_init(lookup, store, nil, nil) == 1 else { return known }
        var search = ChainSearch(sent: sent, store: store, lookup: lookup, level: level)
        search.collect(lastingBeyond: known)
        return search.verifiedEnd(beyond: known)
    }

    private init(sent: CertificateStack, store: OpaquePointer, lookup: OpaquePointer, level: Int32) {
        self.store = store
        self.lookup = lookup
        self.level = level
        self.sent = (0..<sent.count).compactMap { sent[$0] }
    }

    // MARK: Candidates

    private mutating func collect(lastingBeyond known: Int64) {
        guard let leaf = sent.first, let end = Self.end(of: leaf), end > known else { return }
        let namesakes = trustedCertificates(named: X509_get_subject_name(leaf))
        if let namesakes, Self.certificates(of: namesakes).contains(where: { X509_cmp($0, leaf) == 0 }) {
            chains.append(Chain(certificates: [leaf], end: end))
        }
        extend([leaf], end: end, lastingBeyond: known)
    }

    private mutating func extend(_ path: [OpaquePointer], end: Int64, lastingBeyond known: Int64) {
        guard let last = path.last, path.count < Self.longestChain else { return }
        for issuer in trustedIssuers(of: last) {
            guard let chainEnd = issues(issuer, last, in: path, end: end, beyond: known) else { continue }
            chains.append(Chain(certificates: path + [issuer], end: chainEnd))
        }
        for issuer in sent.dropFirst() {
            guard let chainEnd = issues(issuer, last, in: path, end: end, beyond: known) else { continue }
            extend(path + [issuer], end: chainEnd, lastingBeyond: known)
        }
    }

    /// The expiry of the path with this issuer; nil if it did not issue it, or the chain would not be valid longer than
    /// the known one.
    private mutating func issues(
        _ issuer: OpaquePointer, _ subject: OpaquePointer, in path: [OpaquePointer], end: Int64, beyond known: Int64
    ) -> Int64? {
        guard comparisons < Self.mostComparisons, chains.count < Self.mostChains else { return nil }
        comparisons += 1
        guard X509_check_issued(issuer, subject) == X509_V_OK, let own = Self.end(of: issuer), min(own, end) > known,
            !path.contains(where: { X509_cmp($0, issuer) == 0 })
        else { return nil }
        return min(own, end)
    }

    /// The certificates of the store that may have issued a certificate, including the directory of the system's
    /// authorities.
    private mutating func trustedIssuers(of certificate: OpaquePointer) -> [OpaquePointer] {
        if let known = trusted[certificate] { return Self.certificates(of: known) }
        let found = trustedCertificates(named: X509_get_issuer_name(certificate))
        trusted[certificate] = found
        return found.map(Self.certificates) ?? []
    }

    private func trustedCertificates(named name: OpaquePointer?) -> CertificateStack? {
        name.flatMap { X509_STORE_CTX_get1_certs(lookup, $0) }.map(CertificateStack.init(adopting:))
    }

    private static func certificates(of stack: CertificateStack) -> [OpaquePointer] {
        (0..<stack.count).compactMap { stack[$0] }
    }

    // MARK: Verifying

    private func verifiedEnd(beyond known: Int64) -> Int64 {
        let start = Clock.now()
        var signatures = 0
        for chain in chains.sorted(by: { $0.end > $1.end }) {
            signatures += chain.certificates.count
            guard signatures <= Self.mostSignatures, Clock.now().since(start) < Self.verificationNanoseconds else {
                break
            }
            // OpenSSL may have left out a part. Only the chain that it verified counts.
            if let end = verifiedEnd(of: chain), end > known { return end }
        }
        return known
    }

    /// Lets OpenSSL verify a chain, with no other certificates to build it from.
    private func verifiedEnd(of chain: Chain) -> Int64? {
        guard let context = X509_STORE_CTX_new() else { return nil }
        defer { X509_STORE_CTX_free(context) }
        guard let untrusted = CertificateStack(of: Array(chain.certificates.dropLast())),
            let anchor = CertificateStack(of: chain.certificates.suffix(1)),
            X509_STORE_CTX_init(context, store, chain.certificates[0], untrusted.stack) == 1,
            X509_STORE_CTX_set_default(context, "ssl_server") == 1
        else { return nil }
        X509_STORE_CTX_set0_trusted_stack(context, anchor.stack)
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), level)
        let isGood = withExtendedLifetime((untrusted, anchor)) { X509_verify_cert(context) == 1 }
        guard isGood, let verified = X509_STORE_CTX_get1_chain(context) else { return nil }
        return Self.end(of: CertificateStack(adopting: verified))
    }

    // MARK: Expiry

    private static func end(of certificate: OpaquePointer) -> Int64? {
        X509_get0_notAfter(certificate).flatMap(CertificateTime.secondsSince1970)
    }

    private static func end(of chain: CertificateStack) -> Int64? {
        var earliest: Int64?
        for index in 0..<chain.count {
            guard let end = chain[index].flatMap(end(of:)) else { return nil }
            earliest = min(earliest ?? end, end)
        }
        return earliest
    }
}
