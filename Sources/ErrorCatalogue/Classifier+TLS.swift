// Classification of failed TLS handshakes.
extension Classifier {
    /// Returns the report of a failed handshake, with the class `tls_failed`.
    ///
    /// It starts from the catalogue's entry. An alert from the peer can have a better hint, and can make the failure
    /// retryable.
    public static func report(for failure: TLSHandshakeFailure) -> ErrorReport {
        let entry = ErrnoCatalogue.entry(for: failure.name)
        var classification = Classification(entry)
        classification.classifyTLS(failure)
        return ErrorReport(
            errno: nil, name: entry.name, errorClass: classification.errorClass, fault: classification.fault,
            source: entry.source, message: failure.message ?? entry.message, hint: classification.hint,
            retryable: classification.retryable, alert: failure.alert, received: failure.received)
    }
}

extension Classification {
    fileprivate mutating func classifyTLS(_ failure: TLSHandshakeFailure) {
        switch failure.name {
        case .clientCertificateRequired:
            // The request decides whether a certificate is sent.
            if failure.sentCertificate { hint = Hints.clientCertificateRefused } else { fault = .request }
        case .alert:
            classifyAlert(failure)
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
                set(.tlsFailed, fault: .prober, retryable: false, hint: Hints.preparationFailed)
            }
            if failure.subject == .shortage {
                set(.tlsFailed, fault: .prober, retryable: true, hint: Hints.shortOfMemory)
            }
            // The failure has received bytes only if they came in plain text.
            if failure.received != nil { hint = Hints.plainTextAfterStartTLS }
        case .certificateExpired, .certificateNotYetValid, .certificateSelfSigned, .certificateUnknownAuthority,
            .certificateRevoked, .certificateWeak, .certificateExpiresSoon, .version, .notTLS, .alpn:
            break
        }
    }

    /// Chooses the hint by the alert's name, RFC 8446, 6.2. An alert that the prober sent says nothing about the peer's
    /// reasons.
    private mutating func classifyAlert(_ failure: TLSHandshakeFailure) {
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
            // If no certificate was sent, the alert has another reason, which it does not tell.
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

/// The hints for alerts and TLS failures that need more than the catalogue's hint.
extension Hints {
    static let unrecognizedName = """
        Correct the target's host or tls.server_name, or add the name to the server's sites: the peer does not serve \
        the name that was sent (SNI).
        """
    static let clientCertificateUnknownAuthority = """
        Let the peer trust the CA of the prober's client certificate, or add the intermediate certificates to its \
        file: the peer does not know its issuer.
        """
    static let clientCertificateExpired = """
        Renew the certificate in client_certificates, and compare the clocks of both machines: the peer says that the \
        client certificate has expired.
        """
    static let clientCertificateRevoked = """
        Replace the certificate in client_certificates, and ask its CA for the reason: the peer says that the client \
        certificate was revoked.
        """
    static let clientCertificateRefused = """
        Check the peer's log for the reason, and that the client certificate is meant for clients and issued by the \
        peer's CA: the peer rejected it.
        """
    static let accessDenied = """
        Ask the peer's operator to allow this client's subject in the access list: the peer accepted the certificate \
        but denied access.
        """
    static let handshakeFailure = """
        Compare ciphers, server name and client certificate with the peer's settings: it accepted none of the offer, \
        mostly for one of these three.
        """
    static let internalError = """
        Check the peer's log: it failed with alert internal_error, often because it has no certificate for this name \
        or its backend is down.
        """
    static let inappropriateFallback = """
        Raise tls.max_version, or leave it out: the peer says that it supports a newer TLS version than it was \
        offered.
        """

    static let expectedAlertMissing = """
        Check that the peer demands client certificates, and which one the prober sent: it completed the handshake \
        although tls.expect_alert expects an alert.
        """
    static let stapleNotGood = """
        Enable OCSP stapling on the server, and check that it reaches its CA's responder: tls.revocation needs a good \
        staple; "tls.ocsp" shows what came.
        """
    static let preparationFailed = """
        Correct the entry in connectd's configuration (a key of RSA 2048 or P-256), or the TLS options: connectd could \
        not start TLS; "message" has the reason.
        """
    static let shortOfMemory = """
        Give connectd more memory or open files: OpenSSL could not continue, which says nothing about the target; \
        "message" has the reason.
        """
    static let plainTextAfterStartTLS = """
        Suspect an injection on the path (CVE-2011-0411): plain text followed the go-ahead for TLS, and must not be \
        treated as secure; "received" shows it.
        """

    static let noServerName = """
        Set tls.server_name to the site's name: no server_name (SNI) was sent as the target has no host name, and many \
        servers need one to find their certificate.
        """
    static let defaultCertificate = """
        Set tls.server_name, or issue the certificate for this address too: no server_name was sent, so the server \
        chose its default certificate (sans in "tls.chain").
        """
    static let certificateWithoutNames = """
        Issue the certificate again with this name as a subject alternative name (SAN): it has no SAN of type DNS or \
        IP, and the common name is not used.
        """
    static let legacyRenegotiation = """
        Update the server's TLS library, or accept the risk with tls.legacy_renegotiation: the server lacks secure \
        renegotiation (RFC 5746).
        """
    static let messageTooLarge = """
        Remove certificates that the server does not need to send: its message is larger than OpenSSL accepts (100 KiB \
        for certificates).
        """
    static let chainTooLong = """
        Issue the certificate from a shorter chain: there are more than 100 certificates between the peer's and the \
        CA's, which is OpenSSL's limit.
        """
    static let serviceRefusedForNow = """
        Try again later, or raise the server's connection limit: it refuses new clients at the moment; "message" has \
        its answer.
        """
    static let serviceRefused = """
        Allow the prober's address in the server's access list, or start the service there: the server refuses to \
        serve this client; "message" has its answer.
        """

    static let tls = [
        unrecognizedName, clientCertificateUnknownAuthority, clientCertificateExpired, clientCertificateRevoked,
        clientCertificateRefused, accessDenied, handshakeFailure, internalError, inappropriateFallback,
        expectedAlertMissing, stapleNotGood, preparationFailed, shortOfMemory, plainTextAfterStartTLS,
        noServerName,
        defaultCertificate,
        certificateWithoutNames, legacyRenegotiation, messageTooLarge, chainTooLong, serviceRefusedForNow,
        serviceRefused,
    ]
}
