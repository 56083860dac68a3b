// TLS: what a handshake's failure means for whoever is on call.
extension Classifier {
    /// The report of a handshake that failed: class `tls_failed`.
    ///
    /// It starts from the catalogue's entry; an alert of the peer's may have a better hint, and `retryable` looks at what
    /// the peer says about itself.
    public static func report(for failure: TLSHandshakeFailure) -> ErrorReport {
        let entry = ErrnoCatalogue.entry(for: failure.name)
        var judgement = Judgement(entry)
        judgement.judgeTLS(failure)
        return ErrorReport(
            errno: nil, name: entry.name, errorClass: judgement.errorClass, fault: judgement.fault,
            source: entry.source, message: failure.message ?? entry.message, hint: judgement.hint,
            retryable: judgement.retryable, alert: failure.alert, received: failure.received)
    }
}

extension Judgement {
    fileprivate mutating func judgeTLS(_ failure: TLSHandshakeFailure) {
        switch failure.name {
        case .clientCertificateRequired:
            // It is the request that brings a certificate, or does not.
            if failure.sentCertificate { hint = Hints.clientCertificateRefused } else { fault = .request }
        case .alert:
            judgeAlert(failure)
        case .startTLSRefused:
            retryable = failure.isTemporary
            if failure.subject == .service {
                hint = failure.isTemporary ? Hints.serviceRefusedForNow : Hints.serviceRefused
            }
        case .certificateInvalid:
            if failure.subject == .staple { hint = Hints.stapleNotGood }
            if failure.subject == .chainLength { hint = Hints.chainTooLong }
        case .certificateNameMismatch:
            if failure.subject == .missingNames {
                hint = Hints.certificateWithoutNames
            } else if !failure.sentServerName {
                hint = Hints.defaultCertificate
            }
        case .noSharedCipher:
            if failure.alert?.sender == .peer, !failure.sentServerName { hint = Hints.noServerName }
        case .closed:
            if !failure.sentServerName { hint = Hints.noServerName }
        case .protocolViolation:
            if failure.subject == .legacyRenegotiation {
                (hint, retryable) = (Hints.legacyRenegotiation, false)
            }
            if failure.subject == .messageSize { (hint, retryable) = (Hints.messageTooLarge, false) }
            if failure.subject == .preparation {
                set(.tlsFailed, fault: .prober, retryable: false, hint: Hints.tlsNotBegun)
            }
            // Bytes of the peer's are shown of what came in plain text only.
            if failure.received != nil { hint = Hints.wordsBehindGoAhead }
        case .certificateExpired, .certificateNotYetValid, .certificateSelfSigned, .certificateUnknownAuthority,
            .certificateRevoked, .certificateWeak, .certificateExpiresSoon, .version, .notTLS, .alpn:
            break
        }
    }

    /// By the names of the registry, RFC 8446, 6.2; those of ours say nothing about the peer's reasons.
    private mutating func judgeAlert(_ failure: TLSHandshakeFailure) {
        guard let alert = failure.alert else {
            hint = Hints.expectedAlertMissing
            return
        }
        guard alert.sender == .peer else { return }
        switch alert.alert.name {
        case "handshake_failure" where !failure.sentServerName, "unrecognized_name" where !failure.sentServerName,
            "missing_extension" where !failure.sentServerName, "access_denied" where !failure.sentServerName:
            hint = Hints.noServerName
        case "internal_error" where !failure.sentServerName:
            hint = Hints.noServerName
            retryable = true
        case "unrecognized_name": hint = Hints.unrecognizedName
        case "unknown_ca": hint = Hints.clientCertificateUnknownAuthority
        case "certificate_expired": hint = Hints.clientCertificateExpired
        case "certificate_revoked": hint = Hints.clientCertificateRevoked
        case "bad_certificate", "unsupported_certificate", "certificate_unknown", "decrypt_error":
            // A peer that was given no certificate means something else, which the alert does not tell.
            if failure.sentCertificate { hint = Hints.clientCertificateRefused }
        case "access_denied": hint = Hints.accessDenied
        case "handshake_failure": hint = Hints.handshakeFailure
        case "inappropriate_fallback": hint = Hints.inappropriateFallback
        case "internal_error":
            hint = Hints.internalError
            retryable = true
        case "user_canceled": retryable = true
        default: break
        }
    }
}
