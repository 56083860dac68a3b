internal import CLinux
internal import COpenSSL
internal import CheckModel
internal import NetworkTypes

/// Reads certificates for the report.
///
/// A peer controls all contents. So no text is longer than 1 KiB, and none contains characters that are not printable.
enum CertificateReader {
    /// - Parameter certificate: an X509, owned by the caller.
    /// - Parameter now: seconds since 1970.
    static func report(of certificate: OpaquePointer, now: Int64) -> CertificateReport {
        defer { ERR_clear_error() }
        // OpenSSL parses a certificate with invalid dates, and finds them only when it reads the dates.
        let notBefore = X509_get0_notBefore(certificate).flatMap(CertificateTime.secondsSince1970)
        let notAfter = X509_get0_notAfter(certificate).flatMap(CertificateTime.secondsSince1970)
        let names = AlternativeNames(of: certificate)
        let key = X509_get0_pubkey(certificate)
        return CertificateReport(
            subject: CertificateText.name(X509_get_subject_name(certificate)),
            issuer: CertificateText.name(X509_get_issuer_name(certificate)),
            subjectAlternativeNames: names.listed, furtherNamesCount: names.furtherCount,
            serial: CertificateText.serial(X509_get0_serialNumber(certificate)), notBefore: notBefore,
            notAfter: notAfter,
            expiresInSeconds: notAfter.map { $0 - now }, sha256: fingerprint(of: certificate),
            publicKeySHA256: publicKeyFingerprint(of: certificate),
            keyType: keyType(of: key), keyBits: key.map { Int(EVP_PKEY_get_bits($0)) } ?? 0,
            signatureAlgorithm: signature(of: certificate), mustStaple: connectd_must_staple(certificate) == 1)
    }

    /// - Parameter key: nil if OpenSSL cannot decode it. EVP_PKEY_get0_type_name does not check for nil.
    private static func keyType(of key: OpaquePointer?) -> String {
        key.flatMap { EVP_PKEY_get0_type_name($0) }.map { String(cString: $0) } ?? "unknown"
    }

    private static func fingerprint(of certificate: OpaquePointer) -> String {
        digest { X509_digest(certificate, EVP_sha256(), $0, $1) }
    }

    private static func publicKeyFingerprint(of certificate: OpaquePointer) -> String {
        let publicKey = X509_get_X509_PUBKEY(certificate)
        let encoding = encoding { i2d_X509_PUBKEY(publicKey, $0) }
        return digest { EVP_Digest(encoding, encoding.count, $0, $1, EVP_sha256(), nil) }
    }

    private static func signature(of certificate: OpaquePointer) -> String {
        var algorithm: UnsafePointer<X509_ALGOR>?
        var object: OpaquePointer?
        X509_get0_signature(nil, &algorithm, certificate)
        X509_ALGOR_get0(&object, nil, nil, algorithm)
        return CertificateText.objectName(object)
    }

    private static func digest(
        _ compute: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> Int32
    ) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            count = compute(buffer.baseAddress, &length) == 1 ? Int(length) : 0
        }
        return HexText.text(bytes)
    }

    /// The bytes that an i2d function writes.
    private static func encoding(
        _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) -> [UInt8] {
        let length = Int(max(write(nil), 0))
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var position = buffer.baseAddress
            count = length == 0 ? 0 : Int(max(write(&position), 0))
        }
    }
}

/// The times in certificates and OCSP responses.
enum CertificateTime {
    /// - Parameter time: an ASN1_TIME in either form (RFC 5280, 4.1.2.5), of the years 0 to 9999.
    /// - Returns: nil if it is not a valid time.
    static func secondsSince1970(_ time: UnsafePointer<ASN1_TIME>) -> Int64? {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }
}

/// SHA-256 of a certificate in DER.
struct Fingerprint {
    let bytes: [UInt8]
    /// The size of the certificate in bytes.
    let certificateBytes: Int

    /// - Returns: nil if OpenSSL cannot encode or hash the certificate. Two certificates must never seem to be the same.
    init?(of certificate: OpaquePointer) {
        let length = Int(i2d_X509(certificate, nil))
        guard length > 0 else { return nil }
        let encoding = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var position = buffer.baseAddress
            count = Int(max(i2d_X509(certificate, &position), 0))
        }
        guard encoding.count == length else { return nil }
        certificateBytes = length
        bytes = [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
            // The plain function, because fetching the algorithm costs more than hashing a certificate.
            let digest = SHA256(encoding, encoding.count, buffer.baseAddress)
            count = digest == nil ? 0 : Int(SHA256_DIGEST_LENGTH)
        }
        guard !bytes.isEmpty else { return nil }
    }
}

/// A cache of certificate reports by fingerprint: the contents of a certificate never change.
///
/// Use it only on its worker's thread.
final class ReportMemory {
    private static let capacity = 256
    /// A certificate with more names is not cached, because its report is large.
    private static let mostNames = 32

    private var reports: [[UInt8]: CertificateReport] = [:]

    /// The report, with the remaining validity at `now`, in seconds since 1970.
    func report(of certificate: OpaquePointer, now: Int64) -> CertificateReport {
        guard let fingerprint = Fingerprint(of: certificate)?.bytes else {
            return CertificateReader.report(of: certificate, now: now)
        }
        if var report = reports[fingerprint] {
            report.expiresInSeconds = report.notAfter.map { $0 - now }
            return report
        }
        let failedAllocations = OpenSSLMemory.failureCount
        let report = CertificateReader.report(of: certificate, now: now)
        // What was read while memory was short may lack something.
        let isComplete = OpenSSLMemory.failureCount == failedAllocations && !report.sha256.isEmpty
        if isComplete, report.subjectAlternativeNames.count <= Self.mostNames {
            if reports.count >= Self.capacity { reports.removeAll() }
            reports[fingerprint] = report
        }
        return report
    }
}
