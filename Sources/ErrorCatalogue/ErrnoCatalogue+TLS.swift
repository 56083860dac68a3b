/// TLS handshakes that failed for something other than a certificate: one entry for each name.
extension ErrnoCatalogue {
    /// The entry of a handshake's failure; each has one.
    public static func entry(for failure: TLSFailure) -> ErrorCatalogueEntry {
        switch failure {
        case .certificateExpired: certificateExpired
        case .certificateNotYetValid: certificateNotYetValid
        case .certificateSelfSigned: certificateSelfSigned
        case .certificateUnknownAuthority: certificateUnknownAuthority
        case .certificateNameMismatch: certificateNameMismatch
        case .certificateRevoked: certificateRevoked
        case .certificateWeak: certificateWeak
        case .certificateExpiresSoon: certificateExpiresSoon
        case .certificateInvalid: certificateInvalid
        case .version: tlsVersion
        case .noSharedCipher: tlsNoSharedCipher
        case .alert: tlsAlert
        case .notTLS: tlsNotTLS
        case .closed: tlsClosed
        case .alpn: tlsALPN
        case .clientCertificateRequired: tlsClientCertificateRequired
        case .protocolViolation: tlsProtocol
        case .startTLSRefused: startTLSRefused
        }
    }

    private static let tlsVersion = tls(
        .version, retryable: false,
        message: "No TLS version in common",
        when: """
            The peer offers no version between `min_version` (by default 1.2) and `max_version`, or says so by the alert \
            protocol_version.
            """,
        hint: """
            The peer speaks none of the versions asked for, mostly only TLS 1.0 or 1.1: upgrade it, or lower \
            tls.min_version to find out what it has.
            """)

    private static let tlsNoSharedCipher = tls(
        .noSharedCipher, retryable: false,
        message: "No cipher suite or group in common",
        when: """
            The peer refuses every cipher suite, key exchange group or signature algorithm that was offered, or chooses one \
            that is too weak.
            """,
        hint: """
            Peer and prober share no cipher suite, group or signature algorithm: compare the peer's list with tls.ciphers, \
            and its key type with its suites.
            """)

    private static let tlsAlert = tls(
        .alert, retryable: false,
        message: "The handshake ended with an alert",
        when: "One side ended the handshake with an alert that no other name tells better; `alert` has its name.",
        hint: """
            The peer broke the handshake off: "alert" says why in a word, and its log says more; compare what the request \
            offers (name, versions, ciphers) with its settings.
            """)

    private static let tlsNotTLS = tls(
        .notTLS, retryable: false,
        message: "What the peer sent is not TLS",
        when: "The first bytes that came are no TLS record: a plain service, or another one, has this port.",
        hint: """
            The port speaks something else than TLS: "received" shows its first bytes; it may be the plain port, or need \
            tls.starttls first.
            """)

    private static let tlsClosed = tls(
        .closed, retryable: true,
        message: "The peer closed the connection during the handshake",
        when: "The peer ended the connection in good order before the handshake was through, without an alert.",
        hint: """
            The peer hung up without a word: a proxy without a backend for this name, a plain-text service, or an access \
            list; look at its log and at tls.server_name.
            """)

    private static let tlsALPN = tls(
        .alpn, retryable: false,
        message: "No application protocol in common",
        when: "The peer takes none of the protocols of `alpn`: by alert no_application_protocol, or choosing none.",
        hint: """
            The peer takes none of the protocols in tls.alpn: add the one it has, such as http/1.1, or turn the missing one \
            on at its side.
            """)

    private static let tlsClientCertificateRequired = tls(
        .clientCertificateRequired, retryable: false,
        message: "The peer requires a client certificate",
        when: """
            The peer asked for a certificate and refused to go on without one; with TLS 1.3 it says so behind the handshake \
            only.
            """,
        hint: """
            The peer takes only clients with a certificate (mutual TLS): configure one under client_certificates, and name \
            it in tls.client_certificate.
            """)

    private static let tlsProtocol = tls(
        .protocolViolation, retryable: true,
        message: "The handshake broke the protocol",
        when: "What came is TLS, but breaks its rules: a malformed, unexpected, oversized or altered message.",
        hint: """
            The peer, or a middlebox on the way that rewrites TLS, broke the protocol: compare with `openssl s_client` from \
            here and from another network.
            """)

    private static let startTLSRefused = tls(
        .startTLSRefused, retryable: false,
        message: "The peer does not begin with TLS",
        when: "The peer answered, and refused STARTTLS or does not offer it, or what it speaks is another protocol.",
        hint: """
            The peer answered but gives no TLS on this port: "received" has its words; see that it has a certificate \
            configured, and that tls.starttls names its protocol.
            """)

    static func tls(
        _ failure: TLSFailure, retryable: Bool, message: String, when: String, hint: String
    ) -> ErrorCatalogueEntry {
        ErrorCatalogueEntry(
            ownName: failure.rawValue, .tlsFailed, fault: .target, source: .tls, retryable: retryable, message: message,
            when: when,
            hint: hint)
    }
}

/// The verdicts about a peer's certificates: one entry for each name.
extension ErrnoCatalogue {
    static let certificateExpired = tls(
        .certificateExpired, retryable: false,
        message: "A certificate has expired",
        when: "`not_after` of a certificate of the chain lies in the past, by the prober's clock.",
        hint: """
            A certificate has expired: "tls.verify_error" says at which depth; renew it, and see that the service has \
            loaded the new file and the prober's clock is right.
            """)

    static let certificateNotYetValid = tls(
        .certificateNotYetValid, retryable: true,
        message: "A certificate is not valid yet",
        when: "`not_before` of a certificate of the chain lies in the future, by the prober's clock.",
        hint: """
            A certificate begins in the future: first compare the clocks of the prober and of whoever issued it \
            (`timedatectl`), then not_before in "tls.chain".
            """)

    static let certificateSelfSigned = tls(
        .certificateSelfSigned, retryable: false,
        message: "The certificate is self-signed",
        when: "The peer's certificate is its own issuer, and not among the authorities.",
        hint: """
            The peer shows a self-signed certificate, often a default one: install the real one, or put it under \
            authorities and name that in tls.ca.
            """)

    static let certificateUnknownAuthority = tls(
        .certificateUnknownAuthority, retryable: false,
        message: "The certificate's issuer is not known",
        when: """
            The chain leads to no authority that is trusted here: the root is a private one, or the peer leaves out an \
            intermediate certificate.
            """,
        hint: """
            No path to a trusted authority: if "tls.chain" lacks an intermediate, let the server send it; for a private \
            root configure authorities and tls.ca.
            """)

    static let certificateNameMismatch = tls(
        .certificateNameMismatch, retryable: false,
        message: "The certificate is for another name",
        when: """
            None of the certificate's subject alternative names fits `server_name`, or else the target's host; an address \
            needs an IP entry.
            """,
        hint: """
            The certificate is for other names ("tls.chain" lists its sans): correct the name, set tls.server_name, or the \
            server chose its default site.
            """)

    static let certificateRevoked = tls(
        .certificateRevoked, retryable: false,
        message: "The certificate was revoked",
        when: "The stapled OCSP response says that the certificate was revoked.",
        hint: """
            The authority has revoked this certificate: replace it at once, and find out why; "tls.ocsp" says since when, \
            clients may accept it still.
            """)

    static let certificateWeak = tls(
        .certificateWeak, retryable: false,
        message: "A key or signature of the chain is too weak",
        when: """
            A key, a signature or a parameter of the chain is below security level 2 of OpenSSL: RSA below 2048 bits, MD5 \
            or SHA-1.
            """,
        hint: """
            A key or signature of the chain is too weak ("tls.chain" has both): issue it anew with RSA 2048 or P-256 and \
            SHA-256, or see it with "verify":false.
            """)

    static let certificateExpiresSoon = tls(
        .certificateExpiresSoon, retryable: false,
        message: "A certificate expires soon",
        when: "Everything is valid, but a certificate of the chain expires within `min_days_left` days.",
        hint: """
            Still valid, but for fewer days than min_days_left asks for: renew it, and if that is automatic, see why it did \
            not happen or was not loaded.
            """)

    static let certificateInvalid = tls(
        .certificateInvalid, retryable: false,
        message: "The certificate is not valid",
        when: """
            Any other verdict: a certificate that is not for servers, an authority that is none, a broken signature, or \
            none at all; also `revocation` without a staple that is good.
            """,
        hint: """
            The verifier refuses the chain for the reason in "tls.verify_error": often a certificate that is not for \
            servers, or an issuer that is no authority.
            """)
}
