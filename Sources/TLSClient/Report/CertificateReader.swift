internal import COpenSSL
internal import CheckModel

/// Reads certificates for the report.
///
/// Everything in them is the peer's word: no text is longer than 1 KiB, and none has characters that are not printable.
enum CertificateReader {
    /// - Parameter certificate: an X509 of OpenSSL, which stays the caller's.
    /// - Parameter now: seconds since 1970.
    static func report(of certificate: OpaquePointer, now: Int64) -> CertificateReport {
        defer { ERR_clear_error() }
        // OpenSSL parses a certificate with any dates, and finds only when it looks at them that they are none.
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

    /// - Parameter key: nil where OpenSSL cannot decode it; EVP_PKEY_get0_type_name does not look for that.
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
        return hex(bytes[...])
    }

    /// What an i2d function writes.
    private static func encoding(
        _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) -> [UInt8] {
        let length = Int(max(write(nil), 0))
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var position = buffer.baseAddress
            count = length == 0 ? 0 : Int(max(write(&position), 0))
        }
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String { CertificateText.hex(bytes) }
}
