internal import CheckModel
internal import ErrorCatalogue

/// What a request requires of a completed handshake.
///
/// Each requirement applies with `verify: false` too, because the request names it.
struct TLSRequirements {
    let options: TLSOptions
    let report: TLSReport

    /// The first requirement that is not met; nil if all are.
    var failure: TLSHandshakeFailure? {
        if options.verify, !report.isVerified {
            // An anonymous suite, which `ciphers` can ask for: OpenSSL had no chain to refuse.
            return TLSHandshakeFailure(.certificateInvalid, message: "the peer has sent no certificate")
        }
        return revocation ?? lifetime ?? applicationProtocol ?? missingAlert
    }

    private var revocation: TLSHandshakeFailure? {
        switch (options.revocation, report.ocsp.status) {
        case (.none, _), (.ocspStapled, .good?): nil
        case (.ocspStapled, .revoked?):
            TLSHandshakeFailure(.certificateRevoked, message: "the stapled OCSP response says revoked")
        case (.ocspStapled, .unknown?):
            badStaple("the stapled OCSP response says unknown")
        case (.ocspStapled, .invalid?):
            badStaple("the stapled OCSP response cannot be relied on")
        case (.ocspStapled, nil):
            badStaple("the peer staples no OCSP response")
        }
    }

    private func badStaple(_ message: String) -> TLSHandshakeFailure {
        var failure = TLSHandshakeFailure(.certificateInvalid, message: message)
        failure.subject = .staple
        return failure
    }

    private var lifetime: TLSHandshakeFailure? {
        guard let days = options.minimumDaysLeft else { return nil }
        // Without a verified chain, only the peer's own certificate is known to be in use.
        let chain = report.verifiedChain ?? Array(report.chain.prefix(1))
        if let endless = chain.first(where: { $0.expiresInSeconds == nil }) {
            return TLSHandshakeFailure(
                .certificateInvalid, message: "\(endless.subject) has an end of validity that is not a time")
        }
        let ends = chain.compactMap { certificate in certificate.expiresInSeconds.map { (certificate.subject, $0) } }
        guard let (subject, seconds) = ends.min(by: { $0.1 < $1.1 }) else { return nil }
        if seconds < 0 { return TLSHandshakeFailure(.certificateExpired, message: "\(subject) has expired") }
        let left = seconds / 86400
        guard left < days else { return nil }
        return TLSHandshakeFailure(
            .certificateExpiresSoon, message: "\(subject) expires in \(left) days, sooner than in \(days)")
    }

    /// A server that does not know the extension chooses none either: its application would not get what was asked for.
    private var applicationProtocol: TLSHandshakeFailure? {
        guard !options.alpn.isEmpty, report.alpn == nil else { return nil }
        return TLSHandshakeFailure(.alpn, message: "the peer chose none of the application protocols")
    }

    private var missingAlert: TLSHandshakeFailure? {
        options.expectedAlert.map {
            TLSHandshakeFailure(.alert, message: "the alert \($0.name) was expected and did not come")
        }
    }
}
