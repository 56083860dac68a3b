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
