internal import COpenSSL

/// A cache of chains that were verified against one store: most checks meet the same servers repeatedly.
///
/// A valid chain stays valid until one of its certificates expires. The verdict depends on the certificates' bytes, the
/// name, the security level, the store and the date. A store only grows while it is in use. All of these are part of
/// the key, so a cached verdict equals that of X509_verify_cert(3). It saves the signature checks, a fifth of a
/// handshake. Failures are never cached. Use it only on its worker's thread.
final class ChainMemory {
    /// The cache key: everything that the verdict depends on.
    struct Question: Hashable {
        /// SHA-256 of each certificate as it was sent, in order.
        let fingerprints: [[UInt8]]
        let name: PeerName
        let level: Int32
    }

    private struct Verdict {
        let chain: CertificateStack
        /// The time in which the whole chain is valid, in seconds since 1970.
        let validity: ClosedRange<Int64>
    }

    /// The maximum number of entries. Each has the certificates of one server, about 30 KB.
    private static let capacity = 128
    /// Chains with more certificates, or larger ones, are not cached: no common server sends them.
    private static let longestChain = 8
    private static let largestCertificateBytes = 16_384

    private var verdicts: [Question: Verdict] = [:]

    var count: Int { verdicts.count }

    /// The cache key of a chain; nil if it is not cached.
    static func question(about chain: CertificateStack, name: PeerName, level: Int32) -> Question? {
        guard (1...longestChain).contains(chain.count) else { return nil }
        var fingerprints: [[UInt8]] = []
        for index in 0..<chain.count {
            guard let certificate = chain[index], let fingerprint = Fingerprint(of: certificate),
                fingerprint.certificateBytes <= largestCertificateBytes
            else { return nil }
            fingerprints.append(fingerprint.bytes)
        }
        return Question(fingerprints: fingerprints, name: name, level: level)
    }

    /// The cached chain up to an authority, if it is valid at `now`, in seconds since 1970.
    func verifiedChain(for question: Question, now: Int64) -> CertificateStack? {
        guard let verdict = verdicts[question], verdict.validity.contains(now) else { return nil }
        return verdict.chain
    }

    /// Caches a valid chain.
    func remember(_ chain: CertificateStack, for question: Question) {
        guard let validity = Self.validity(of: chain) else { return }
        if verdicts.count >= Self.capacity { verdicts.removeAll() }
        verdicts[question] = Verdict(chain: chain, validity: validity)
    }

    /// nil if a date cannot be read, or the certificates are never valid at the same time.
    private static func validity(of chain: CertificateStack) -> ClosedRange<Int64>? {
        var (begin, end) = (Int64.min, Int64.max)
        for index in 0..<chain.count {
            guard let certificate = chain[index],
                let notBefore = X509_get0_notBefore(certificate).flatMap(CertificateTime.secondsSince1970),
                let notAfter = X509_get0_notAfter(certificate).flatMap(CertificateTime.secondsSince1970)
            else { return nil }
            begin = max(begin, notBefore)
            end = min(end, notAfter)
        }
        return begin <= end ? begin...end : nil
    }
}
