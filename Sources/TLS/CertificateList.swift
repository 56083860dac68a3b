internal import COpenSSL

/// Certificates of a file, each held by one reference.
final class CertificateList: Sendable {
    static let maximumCount = 1000

    // SAFETY: an X509 is counted by atomic operations, and nothing here changes it once it is parsed. What OpenSSL caches
    // in it at its first use (flags of its extensions) is put there under a lock of its own, and forced by `read`; so
    // threads may share it. The references are given back by `deinit` alone, when nobody holds the list any more.
    nonisolated(unsafe) let certificates: [OpaquePointer]

    /// Reads PEM: one certificate or more; what stands around them is passed over.
    init(pem: [UInt8]) throws(TLSMaterialError) {
        guard let read = PEM.withBytes(pem, Self.read) else { throw TLSMaterialError("cannot be read: no memory") }
        certificates = read.certificates
        // Everything is set, so that `deinit` frees what was read.
        if let flaw = read.flaw { throw flaw }
    }

    deinit {
        for certificate in certificates { X509_free(certificate) }
    }

    private static func read(_ bio: OpaquePointer) -> (certificates: [OpaquePointer], flaw: TLSMaterialError?) {
        var certificates: [OpaquePointer] = []
        while let certificate = PEM_read_bio_X509_AUX(bio, nil, refusePassphrase, nil) {
            certificates.append(certificate)
            // Fills the cache of its extensions, which says nothing about the certificate's worth.
            _ = X509_check_purpose(certificate, -1, 0)
            ERR_clear_error()
            guard certificates.count <= maximumCount else {
                return (certificates, TLSMaterialError("has more than \(maximumCount) certificates"))
            }
        }
        let error = ERR_peek_last_error()
        let isEnd = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE
        if isEnd { return (certificates, certificates.isEmpty ? TLSMaterialError("has no certificate") : nil) }
        let which = ordinal(certificates.count + 1)
        return (certificates, TLSMaterialError("has a \(which) certificate that is unreadable: \(PEM.newestReason)"))
    }

    private static func ordinal(_ number: Int) -> String {
        let ending =
            switch (number % 100, number % 10) {
            case (11...13, _): "th"
            case (_, 1): "st"
            case (_, 2): "nd"
            case (_, 3): "rd"
            case _: "th"
            }
        return "\(number)\(ending)"
    }
}

/// A pem_password_cb that knows no passphrase. Without one OpenSSL would ask at the terminal.
/// - Parameter wasAsked: a Bool that is set; nil where nobody wants to know.
func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, wasAsked: UnsafeMutableRawPointer?
) -> Int32 {
    wasAsked?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}

/// PEM in memory (RFC 7468), as OpenSSL reads it.
enum PEM {
    /// Lends the bytes as a BIO of OpenSSL for the time of the call, with an empty queue of errors, which is empty again
    /// afterwards.
    /// - Returns: nil where OpenSSL finds no memory, or there are 2 GiB of bytes.
    static func withBytes<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result) -> Result? {
        bytes.withUnsafeBytes { buffer in
            guard let count = Int32(exactly: buffer.count), let bio = BIO_new_mem_buf(buffer.baseAddress, count) else {
                return nil
            }
            ERR_clear_error()
            defer {
                BIO_free(bio)
                ERR_clear_error()
            }
            return body(bio)
        }
    }

    /// The reason of the newest error in OpenSSL's queue, which names no bytes of the input: `bad base64 decode`.
    static var newestReason: String {
        let text = ERR_reason_error_string(ERR_peek_last_error())
        return text.map { String(cString: $0) } ?? "of no known form"
    }
}
