internal import COpenSSL
internal import CheckModel
internal import ErrorCatalogue
internal import SocketIO

// OpenSSL calls these during the steps of a session, so they run on the reactor's thread.

extension HandshakeRecord {
    /// Attaches the record to an SSL, for the callbacks. It must outlive the SSL.
    /// - Returns: false if there is no memory.
    func attach(to ssl: OpaquePointer) -> Bool {
        connectd_ssl_set_owner(ssl, Unmanaged.passUnretained(self).toOpaque()) == 1
    }

    fileprivate static func of(_ ssl: OpaquePointer) -> HandshakeRecord? {
        // SAFETY: `attach` has stored the record in each SSL. The channel keeps the record as long as the SSL.
        connectd_ssl_get_owner(ssl).map { Unmanaged<HandshakeRecord>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// SSL_CTX_set_msg_callback(3): messages and alerts, in both directions.
func observeMessage(
    isOurs: Int32, version: Int32, contentType: Int32, bytes: UnsafeRawPointer?, length: Int, ssl: OpaquePointer?,
    argument: UnsafeMutableRawPointer?
) {
    guard let bytes, length > 0, let ssl else { return }
    // Record headers and inner content types (RFC 8446, 5.2) are reported too.
    guard contentType == SSL3_RT_HANDSHAKE || contentType == SSL3_RT_ALERT else { return }
    guard let record = HandshakeRecord.of(ssl) else { return }
    if contentType == SSL3_RT_HANDSHAKE {
        let type = Int32(bytes.load(as: UInt8.self))
        record.noteMessage(type: type, length: length, isOurs: isOurs != 0)
    } else if length >= 2 {
        record.noteAlert(TLSAlert(code: bytes.load(fromByteOffset: 1, as: UInt8.self)), isOurs: isOurs != 0)
    }
}

/// SSL_CTX_set_cert_verify_callback(3): verifies the chain, and stores the result.
///
/// Zero ends the handshake with a matching alert, before our own certificate is sent to an unverified peer.
func verifyChain(context: OpaquePointer?, argument: UnsafeMutableRawPointer?) -> Int32 {
    guard
        let context, let ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let record = HandshakeRecord.of(OpaquePointer(ssl))
    else { return 0 }
    guard let sent = CertificateStack(copying: X509_STORE_CTX_get0_untrusted(context)) else {
        return record.failVerification(in: context, chain: nil)
    }
    let question = ChainMemory.question(about: sent, name: record.peer, level: record.certificateLevel)
    if let question, let known = record.authorities.memory.verifiedChain(for: question, now: now()) {
        X509_STORE_CTX_set_error(context, X509_V_OK)
        record.noteVerification(chain: sent, verifiedChain: known, error: nil)
        return 1
    }
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), record.certificateLevel)
    X509_STORE_CTX_set_verify_cb(context, judgeName)
    let isGood = X509_verify_cert(context) == 1
    // A shortage must not pass for a verdict: a certificate of an authority could not be read, for example.
    if !isGood, OpenSSLError.takeFirst()?.isShortage == true || record.isShortOfMemory {
        return record.failVerification(in: context, chain: sent)
    }
    guard isGood else {
        record.noteVerification(chain: sent, verifiedChain: nil, error: CertificateVerifyError(of: context))
        return record.mustVerify ? 0 : 1
    }
    guard let verified = X509_STORE_CTX_get1_chain(context).map(CertificateStack.init(adopting:)) else {
        return record.failVerification(in: context, chain: sent)
    }
    if let question { record.authorities.memory.remember(verified, for: question) }
    record.noteVerification(chain: sent, verifiedChain: verified, error: nil)
    return 1
}

extension HandshakeRecord {
    /// Notes that there is no verdict, for lack of memory or descriptors.
    /// - Returns: zero, which ends the handshake, also with `verify: false`: there is nothing to report.
    fileprivate func failVerification(in context: OpaquePointer, chain: CertificateStack?) -> Int32 {
        X509_STORE_CTX_set_error(context, X509_V_ERR_OUT_OF_MEM)
        noteVerification(chain: chain, verifiedChain: nil, error: CertificateVerifyError(of: context))
        return 0
    }
}

/// X509_STORE_CTX_set_verify_cb(3): accepts a name that OpenSSL's own comparison rejects. All other verdicts remain.
private func judgeName(isGood: Int32, context: OpaquePointer?) -> Int32 {
    guard
        isGood == 0, let context, X509_STORE_CTX_get_error(context) == X509_V_ERR_HOSTNAME_MISMATCH,
        let ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let record = HandshakeRecord.of(OpaquePointer(ssl)), case .name(let name) = record.peer,
        let certificate = X509_STORE_CTX_get0_cert(context), HostNameMatch.certificate(certificate, isFor: name)
    else { return isGood }
    X509_STORE_CTX_set_error(context, X509_V_OK)
    return 1
}

/// Seconds since 1970.
private func now() -> Int64 { Clock.wallNanoseconds() / 1_000_000_000 }

extension CertificateVerifyError {
    /// The error of X509_STORE_CTX_get_error(3) and its depth.
    fileprivate init(of context: OpaquePointer) {
        let found = X509_STORE_CTX_get_error(context)
        // A failure without a verdict, such as a lack of memory.
        let code = found == X509_V_OK ? X509_V_ERR_UNSPECIFIED : found
        self.init(
            code: Int(code), name: Self.name(of: Int(code)), depth: Int(X509_STORE_CTX_get_error_depth(context)),
            message: String(cString: X509_verify_cert_error_string(Int(code))))
    }
}

/// An entry of OpenSSL's error queue, ERR_get_error(3).
struct OpenSSLError {
    /// ERR_GET_REASON(3): SSL_R_… if `isOfSSL` is true.
    let code: Int32
    /// ERR_reason_error_string(3): a few words, such as `wrong version number`.
    let reason: String
    /// Whether the TLS part of OpenSSL raised it, not its cryptography.
    let isOfSSL: Bool
    /// Whether it, or another entry of the queue, was a lack of memory or descriptors.
    private(set) var isShortage: Bool

    private init(_ error: UInt) {
        code = connectd_err_reason(error)
        reason = ERR_reason_error_string(error).map { String(cString: $0) } ?? "error \(error)"
        isOfSSL = connectd_err_is_ssl(error) == 1
        isShortage = connectd_err_is_shortage(error) == 1
    }

    /// Empties the thread's queue.
    /// - Returns: the first entry of the TLS part, which says more than those of lower layers; otherwise the first
    /// entry.
    static func takeFirst() -> OpenSSLError? {
        var found: OpenSSLError?
        var isShortage = false
        while true {
            let number = ERR_get_error()
            guard number != 0 else { break }
            isShortage = isShortage || connectd_err_is_shortage(number) == 1
            if found?.isOfSSL == true { continue }
            let error = OpenSSLError(number)
            if found == nil || error.isOfSSL { found = error }
        }
        found?.isShortage = isShortage
        return found
    }
}
