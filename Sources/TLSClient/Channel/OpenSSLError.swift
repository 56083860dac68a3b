internal import COpenSSL

/// An entry of OpenSSL's error queue, ERR_get_error(3).
struct OpenSSLError {
    /// ERR_GET_REASON(3): SSL_R_…, where `isOfSSL`.
    let code: Int32
    /// ERR_reason_error_string(3): a few words, such as `wrong version number`.
    let reason: String
    /// Raised by the TLS part of OpenSSL, not by its cryptography.
    let isOfSSL: Bool

    private init(_ error: UInt) {
        code = connectd_err_reason(error)
        reason = ERR_reason_error_string(error).map { String(cString: $0) } ?? "error \(error)"
        isOfSSL = connectd_err_is_ssl(error) == 1
    }

    /// Empties the thread's queue.
    /// - Returns: the first entry that TLS raised, which tells more than those of the layers below; else the first of all.
    static func takeFirst() -> OpenSSLError? {
        var found: OpenSSLError?
        while true {
            let number = ERR_get_error()
            guard number != 0 else { return found }
            if found?.isOfSSL == true { continue }
            let error = OpenSSLError(number)
            if found == nil || error.isOfSSL { found = error }
        }
    }
}
