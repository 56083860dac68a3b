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
