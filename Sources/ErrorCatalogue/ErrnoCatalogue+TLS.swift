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
            The peer offers no version between `min_version` (default 1.2) and `max_version`, or sends the alert \
            protocol_version.
            """,
        hint: """
            Upgrade the peer, or lower tls.min_version to find out which versions it supports: it supports none that \
            were offered, often only TLS 1.0 or 1.1.
            """)

    private static let tlsNoSharedCipher = tls(
        .noSharedCipher, retryable: false,
        message: "No cipher suite or group in common",
        when: """
            The peer rejects every cipher suite, key exchange group and signature algorithm that was offered, or \
            chooses one that is too weak.
            """,
        hint: """
            Compare the peer's list with tls.ciphers, and its key type with its suites: peer and prober share no \
            cipher suite, group or signature algorithm.
            """)

    private static let tlsAlert = tls(
        .alert, retryable: false,
        message: "The handshake ended with an alert",
        when: "One side ended the handshake with an alert that has no error name of its own; `alert` has its name.",
        hint: """
            Compare what the request offers (name, versions, ciphers) with the peer's settings: it ended the handshake \
            with "alert", and its log has the details.
            """)

    private static let tlsNotTLS = tls(
        .notTLS, retryable: false,
        message: "What the peer sent is not TLS",
        when: "The first bytes were not a TLS record: a plain-text service, or a different one, uses this port.",
        hint: """
            Check "received", the peer's first bytes: this port speaks another protocol than TLS; it may be the \
            plain-text port, or need tls.starttls first.
            """)

    private static let tlsClosed = tls(
        .closed, retryable: true,
        message: "The peer closed the connection during the handshake",
        when: "The peer closed the connection normally before the handshake was complete, without an alert.",
        hint: """
            Check the peer's log and tls.server_name: it closed the connection without an alert, as a proxy without a \
            backend, a plain-text service or an access list does.
            """)

    private static let tlsALPN = tls(
        .alpn, retryable: false,
        message: "No application protocol in common",
        when: """
            The peer accepts none of the protocols in `alpn`: it sends the alert no_application_protocol, or chooses \
            none.
            """,
        hint: """
            Add a protocol that the peer supports to tls.alpn, such as http/1.1, or enable the missing one on the \
            peer: it accepts none of those offered.
            """)

    private static let tlsClientCertificateRequired = tls(
        .clientCertificateRequired, retryable: false,
        message: "The peer requires a client certificate",
        when: """
            The peer asked for a certificate and refused to continue without one; with TLS 1.3 it says so only after \
            the handshake.
            """,
        hint: """
            Configure a certificate under client_certificates, and name it in tls.client_certificate: the peer accepts \
            only clients with a certificate (mutual TLS).
            """)

    private static let tlsProtocol = tls(
        .protocolViolation, retryable: true,
        message: "The handshake violated the protocol",
        when: "The peer sent TLS, but a message was malformed, unexpected, oversized or altered.",
        hint: """
            Compare with `openssl s_client` from here and from another network: the peer, or a middlebox that rewrites \
            TLS, violated the protocol.
            """)

    private static let startTLSRefused = tls(
        .startTLSRefused, retryable: false,
        message: "The peer does not offer TLS",
        when: "The peer answered, but refused STARTTLS, does not offer it, or speaks another protocol.",
        hint: """
            Check that the server has a certificate configured and that tls.starttls names its protocol: it offers no \
            TLS on this port; "received" has its answer.
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
        when: "`not_after` of a certificate in the chain is in the past, by the prober's clock.",
        hint: """
            Renew the certificate ("tls.verify_error" has its depth), and check that the service has loaded the new \
            file and that the prober's clock is right.
            """)

    static let certificateNotYetValid = tls(
        .certificateNotYetValid, retryable: true,
        message: "A certificate is not valid yet",
        when: "`not_before` of a certificate in the chain is in the future, by the prober's clock.",
        hint: """
            Compare the clocks of the prober and of the issuer (`timedatectl`), then not_before in "tls.chain": a \
            certificate is not valid until a later time.
            """)

    static let certificateSelfSigned = tls(
        .certificateSelfSigned, retryable: false,
        message: "The certificate is self-signed",
        when: "The peer's certificate is its own issuer, and is not among the trusted CAs.",
        hint: """
            Install the real certificate, or add this one under authorities and name it in tls.ca: the peer sent a \
            self-signed certificate, often a default one.
            """)

    static let certificateUnknownAuthority = tls(
        .certificateUnknownAuthority, retryable: false,
        message: "The certificate's issuer is not known",
        when: """
            The chain does not lead to a CA that is trusted here: the root is private, or the peer leaves out an \
            intermediate certificate.
            """,
        hint: """
            Let the server send any intermediate that "tls.chain" lacks, or configure a private root under authorities \
            and tls.ca: no path leads to a trusted CA.
            """)

    static let certificateNameMismatch = tls(
        .certificateNameMismatch, retryable: false,
        message: "The certificate is for another name",
        when: """
            None of the certificate's subject alternative names matches `server_name` or, without it, the target's \
            host; an address needs an IP entry.
            """,
        hint: """
            Correct the name, or set tls.server_name: the certificate is for other names (sans in "tls.chain"); the \
            server may have chosen its default site.
            """)

    static let certificateRevoked = tls(
        .certificateRevoked, retryable: false,
        message: "The certificate was revoked",
        when: "The stapled OCSP response says that the certificate was revoked.",
        hint: """
            Replace this certificate at once, and find out why its CA revoked it: "tls.ocsp" says since when; some \
            clients may still accept it.
            """)

    static let certificateWeak = tls(
        .certificateWeak, retryable: false,
        message: "A key or signature in the chain is too weak",
        when: """
            A key, signature or parameter in the chain is below OpenSSL's security level 2: RSA below 2048 bits, MD5 \
            or SHA-1.
            """,
        hint: """
            Issue the certificate again with RSA 2048 or P-256 and SHA-256, or inspect it with "verify":false: a key \
            or signature in "tls.chain" is too weak.
            """)

    static let certificateExpiresSoon = tls(
        .certificateExpiresSoon, retryable: false,
        message: "A certificate expires soon",
        when: "The chain is valid, but one of its certificates expires within `min_days_left` days.",
        hint: """
            Renew the certificate: it is still valid, but for fewer days than min_days_left; if renewal is automatic, \
            check why it failed or was not loaded.
            """)

    static let certificateInvalid = tls(
        .certificateInvalid, retryable: false,
        message: "The certificate is not valid",
        when: """
            Any other verdict: a certificate that is not for servers, an issuer that is not a CA, a broken signature, \
            or no certificate; also `revocation` without a good staple.
            """,
        hint: """
            Check "tls.verify_error" for the reason why the chain is invalid: often a certificate is not for servers, \
            or an issuer is not a CA.
            """)
}
