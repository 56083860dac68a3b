internal import CheckModel

/// Reports of certificates by their fingerprints: what stands in a certificate never changes.
///
/// On its worker's thread only.
final class ReportMemory {
    private static let capacity = 256
    /// A certificate with more names is read anew each time: its report is large.
    private static let mostNames = 32

    private var reports: [[UInt8]: CertificateReport] = [:]

    /// The report, with the time that is left as of `now`, seconds since 1970.
    func report(of certificate: OpaquePointer, now: Int64) -> CertificateReport {
        guard let fingerprint = Fingerprint(of: certificate)?.bytes else {
            return CertificateReader.report(of: certificate, now: now)
        }
        if var report = reports[fingerprint] {
            report.expiresInSeconds = report.notAfter.map { $0 - now }
            return report
        }
        let report = CertificateReader.report(of: certificate, now: now)
        if report.subjectAlternativeNames.count <= Self.mostNames {
            if reports.count >= Self.capacity { reports.removeAll() }
            reports[fingerprint] = report
        }
        return report
    }
}
