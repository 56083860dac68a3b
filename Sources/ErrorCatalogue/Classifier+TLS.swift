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

/// What an alert of the peer's says, where it tells more than the failure's name.
extension Hints {
    static let unrecognizedName = """
        The peer has nothing for the name that was sent (SNI): correct the target's host or tls.server_name, or add the \
        name to the server's sites.
        """
    static let clientCertificateUnknownAuthority = """
        The peer does not know who issued our client certificate: let it trust that authority, or send the chain, with the \
        intermediates in its file.
        """
    static let clientCertificateExpired = """
        The peer says that our client certificate has expired: renew the entry of client_certificates, and compare the \
        clocks of both machines.
        """
    static let clientCertificateRevoked = """
        The peer says that our client certificate was revoked: replace the entry of client_certificates, and ask its \
        authority why.
        """
    static let clientCertificateRefused = """
        The peer refuses the client certificate it was given: see its log for the reason, and whether the certificate is \
        for clients and of its authority.
        """
    static let accessDenied = """
        The peer took the certificate and denies access all the same: whoever runs it has to allow this client's subject \
        in its access list.
        """
    static let handshakeFailure = """
        The peer found nothing acceptable in what was offered: mostly no cipher in common, no certificate for this name, \
        or a client certificate that it wants.
        """
    static let internalError = """
        The peer failed in itself (alert internal_error): its log says more; often it has no certificate for this name, or \
        its backend is away.
        """
    static let inappropriateFallback = """
        The peer says that it has a newer TLS version than it was offered: raise tls.max_version, or leave it out.
        """

    static let expectedAlertMissing = """
        The peer let us in although tls.expect_alert says that it must not: see whether it demands client certificates, \
        and what this prober showed it.
        """
    static let stapleNotGood = """
        tls.revocation needs a good OCSP staple, and "tls.ocsp" shows what came: turn stapling on at the server, and see \
        that it reaches its authority's responder.
        """
    static let tlsNotBegun = """
        connectd could not begin with TLS as it was asked to, and "message" says why: correct the entry of its \
        configuration (a key of RSA 2048 or P-256), or the options.
        """
    static let wordsBehindGoAhead = """
        Plain text stood behind the go-ahead for TLS: "received" has it; a server must not take it for secured, so suspect \
        an injection on the way (CVE-2011-0411).
        """

    static let noServerName = """
        No server_name (SNI) was sent, since the target has no host name, and many servers need one to find their \
        certificate: set tls.server_name to the name of the site.
        """
    static let defaultCertificate = """
        No server_name was sent, so the server chose its default certificate ("tls.chain" lists its sans): set \
        tls.server_name, or issue the certificate for this address too.
        """
    static let certificateWithoutNames = """
        The certificate has no subject alternative name (SAN) of type DNS or IP, and the common name is not used: issue it \
        again with this name as a SAN.
        """
    static let legacyRenegotiation = """
        The server lacks secure renegotiation (RFC 5746): update its TLS library, or accept that with \
        tls.legacy_renegotiation.
        """
    static let messageTooLarge = """
        The peer sent a message larger than OpenSSL accepts (100 KiB for certificates): remove certificates that the \
        server does not need to send.
        """
    static let chainTooLong = """
        The chain has more than 100 certificates between the peer's and an authority's, the limit of OpenSSL: issue the \
        certificate from a shorter chain.
        """
    static let serviceRefusedForNow = """
        The server refuses new clients for now, and "message" has its words: try again later, or raise its limit of \
        connections.
        """
    static let serviceRefused = """
        The server refuses to serve this client, and "message" has its words: allow the prober's address in the server's \
        access list, or start the service there.
        """

    static let tls = [
        unrecognizedName, clientCertificateUnknownAuthority, clientCertificateExpired, clientCertificateRevoked,
        clientCertificateRefused, accessDenied, handshakeFailure, internalError, inappropriateFallback,
        expectedAlertMissing, stapleNotGood, tlsNotBegun, wordsBehindGoAhead, noServerName, defaultCertificate,
        certificateWithoutNames, legacyRenegotiation, messageTooLarge, chainTooLong, serviceRefusedForNow,
        serviceRefused,
    ]
}
