internal import CLinux
internal import COpenSSL

/// Times of certificates and of OCSP.
enum CertificateTime {
    /// - Parameter time: an ASN1_TIME of OpenSSL, of either form (RFC 5280, 4.1.2.5), of the years 0 to 9999.
    /// - Returns: nil where it is no time.
    static func secondsSince1970(_ time: UnsafePointer<ASN1_TIME>) -> Int64? {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }
}
