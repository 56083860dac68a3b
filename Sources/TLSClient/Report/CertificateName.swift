internal import COpenSSL
internal import CheckModel

/// What a certificate's holder is called in a log line.
package enum CertificateName {
    /// Bytes of UTF-8, at most.
    static let longest = 64

    /// The subject's common name, else its first alternative name, else its serial number; printable, and cut where it is long.
    /// - Parameter certificate: an X509 of OpenSSL, which stays the caller's.
    package static func short(of certificate: OpaquePointer) -> String {
        defer { ERR_clear_error() }
        let name = commonName(of: certificate) ?? AlternativeNames(of: certificate).listed.first
        return CertificateText.cut(
            name ?? "serial:" + CertificateText.serial(X509_get0_serialNumber(certificate)), to: longest)
    }

    private static func commonName(of certificate: OpaquePointer) -> String? {
        guard let subject = X509_get_subject_name(certificate) else { return nil }
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(subject, index) else { return nil }
        var start: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&start, X509_NAME_ENTRY_get_data(entry))
        guard let start else { return nil }
        defer { CRYPTO_free(start, nil, 0) }
        guard count > 0 else { return nil }
        return CertificateText.text(Array(UnsafeBufferPointer(start: start, count: Int(count)))[...])
    }
}
