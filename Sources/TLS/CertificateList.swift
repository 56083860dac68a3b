internal import COpenSSL

/// The certificates of a file, with one reference for each.
final class CertificateList: Sendable {
    static let maximumCount = 1000

    // SAFETY: the reference count of an X509 is atomic, and nothing here changes an X509 after it is parsed. OpenSSL
    // caches flags of its extensions on first use, under its own lock, and `read` forces that. So threads may share it.
    // Only `deinit` drops the references, when the list has no users.
    nonisolated(unsafe) let certificates: [OpaquePointer]

    /// Reads PEM: at least one certificate. Text around them is ignored.
    init(pem: [UInt8]) throws(TLSMaterialError) {
        guard let read = PEM.withBytes(pem, Self.read) else { throw TLSMaterialError("cannot be read: no memory") }
        certificates = read.certificates
        // All members are set, so `deinit` frees the certificates read so far.
        if let flaw = read.flaw { throw flaw }
    }

    deinit {
        for certificate in certificates { X509_free(certificate) }
    }

    private static func read(_ bio: OpaquePointer) -> (certificates: [OpaquePointer], flaw: TLSMaterialError?) {
        var certificates: [OpaquePointer] = []
        while let certificate = PEM_read_bio_X509_AUX(bio, nil, refusePassphrase, nil) {
            certificates.append(certificate)
            // Fills the cache of its extensions. The result says nothing about the certificate's validity.
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

/// A pem_password_cb that returns no passphrase. Without one, OpenSSL would prompt on the terminal.
/// - Parameter wasAsked: a Bool that is set when a passphrase is requested; may be nil.
func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, wasAsked: UnsafeMutableRawPointer?
) -> Int32 {
    wasAsked?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}

/// PEM in memory (RFC 7468), as OpenSSL reads it.
enum PEM {
    /// Provides the bytes as a BIO during the call. OpenSSL's error queue is empty before and after it.
    /// - Returns: nil if OpenSSL is out of memory, or there are 2 GiB of bytes.
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

    /// The reason of the newest error in OpenSSL's queue, such as `bad base64 decode`. It contains no bytes of the
    /// input.
    static var newestReason: String {
        let text = ERR_reason_error_string(ERR_peek_last_error())
        return text.map { String(cString: $0) } ?? "of no known form"
    }
}
