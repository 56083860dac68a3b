internal import COpenSSL

/// SHA-256 of a certificate in DER.
struct Fingerprint {
    let bytes: [UInt8]
    /// How long the certificate is.
    let certificateBytes: Int

    /// - Returns: nil where OpenSSL cannot encode the certificate.
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
            // The plain function: fetching the algorithm costs more than hashing a certificate.
            SHA256(encoding, encoding.count, buffer.baseAddress)
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }
}
