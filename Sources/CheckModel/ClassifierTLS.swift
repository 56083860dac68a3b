// TLS: what a handshake's failure means for whoever is on call.
extension Classifier {
    /// The report of a handshake that failed: class `tls_failed`.
    public static func report(for failure: TLSHandshakeFailure) -> ErrorReport {
        ErrorReport(
            errno: nil, name: failure.name.rawValue, errorClass: .tlsFailed, fault: .target, source: .tls,
            message: failure.message ?? failure.name.rawValue, hint: "", retryable: true, alert: failure.alert,
            received: failure.received)
    }
}
