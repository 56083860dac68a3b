internal import CheckModel
internal import COpenSSL

/// Reads certificates for the report.
enum CertificateReader {
    /// - Parameter certificate: an X509 of OpenSSL, which stays the caller's.
    /// - Parameter now: seconds since 1970.
    static func report(of certificate: OpaquePointer, now: Int64) -> CertificateReport? {
        nil
    }
}
