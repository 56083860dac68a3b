internal import COpenSSL

/// Chains that were verified against one store before: most checks meet the same servers again and again.
///
/// A chain that was good stays good until one of its certificates expires: the verdict depends on the bytes of the
/// certificates, on the name, on the security level, on the store, which only grows while it is in use, and on the
/// date. All of these are part of the question here, so what is found is what X509_verify_cert(3) would say again; it saves
/// the signatures, a fifth of a handshake. What failed is never remembered. On its worker's thread only.
final class ChainMemory {
    /// What the verdict depends on.
    struct Question: Hashable {
        /// SHA-256 of each certificate as it was sent, in order.
        let fingerprints: [[UInt8]]
        let name: PeerName
        let level: Int32
    }

    private struct Verdict {
        let chain: CertificateStack
        /// Seconds since 1970: within all of these the dates of the whole chain hold.
        let validity: ClosedRange<Int64>
    }

    /// Each holds the certificates of one server, some 30 KB.
    private static let capacity = 128
    /// Chains with more, or larger ones, are no server's that is met again and again.
    private static let longestChain = 8
    private static let largestCertificateBytes = 16_384

    private var verdicts: [Question: Verdict] = [:]

    var count: Int { verdicts.count }

    /// The question about a chain; nil where it is not one to remember.
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

    /// The chain up to an authority, where the question was answered with one that holds at `now`, seconds since 1970.
    func verifiedChain(for question: Question, now: Int64) -> CertificateStack? {
        guard let verdict = verdicts[question], verdict.validity.contains(now) else { return nil }
        return verdict.chain
    }

    /// Remembers a chain that is good.
    func remember(_ chain: CertificateStack, for question: Question) {
        guard let validity = Self.validity(of: chain) else { return }
        if verdicts.count >= Self.capacity { verdicts.removeAll() }
        verdicts[question] = Verdict(chain: chain, validity: validity)
    }

    /// nil where a date cannot be read, or no moment is within all of them.
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
