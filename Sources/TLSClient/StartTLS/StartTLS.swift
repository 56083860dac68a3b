public import CheckModel
public import SocketIO

/// Asks a peer in its own protocol to begin with TLS.
public enum StartTLS {
    /// Talks until the peer is ready for a ClientHello.
    ///
    /// STARTTLS_REFUSED where the peer does not offer TLS, says something that is not this protocol, or more than 64 KiB:
    /// with its line. TLS_PROTOCOL where something stands behind its go-ahead: whoever put it there, it would be taken
    /// for a part of the secured conversation (CVE-2011-0411). TLS_CLOSED where the peer ends the stream before.
    /// - Parameters:
    ///   - host: the name that XMPP asks for; an address or nil is asked for as it is or not at all.
    ///   - token: the socket's place in the reactor, registered for `anything`.
    public static func negotiate(
        _ protocolName: StartTLSProtocol, host: String?, on socket: borrowing Socket, token: SlotToken,
        reactor: Reactor, until deadline: MonotonicTime
    ) async -> TLSHandshakeEnding {
        let negotiation = negotiation(of: protocolName, host: host, client: socket.localName()?.address)
        var talk = StartTLSTalk(negotiation, token: token, reactor: reactor, deadline: deadline)
        return await talk.run(on: socket)
    }

    /// - Parameter client: our own address, nil for a UNIX-domain socket: what SMTP says hello with.
    static func negotiation(
        of protocolName: StartTLSProtocol, host: String?, client: IPAddress?
    ) -> any StartTLSNegotiation {
        switch protocolName {
        case .smtp: SMTPNegotiation(isLMTP: false, client: literal(client))
        case .lmtp: SMTPNegotiation(isLMTP: true, client: literal(client))
        case .imap: IMAPNegotiation()
        case .pop3: POP3Negotiation()
        case .ftp: FTPNegotiation()
        case .ldap: LDAPNegotiation()
        case .postgres: PostgresNegotiation()
        case .mysql: MySQLNegotiation()
        case .xmpp: XMPPNegotiation(isServer: false, host: host)
        case .xmppServer: XMPPNegotiation(isServer: true, host: host)
        case .nntp: NNTPNegotiation()
        case .sieve: SieveNegotiation()
        case .irc: IRCNegotiation()
        case .telnet: TelnetNegotiation()
        }
    }

    /// RFC 5321, 4.1.3: who has no name says its address.
    private static func literal(_ address: IPAddress?) -> String {
        switch address {
        case .v4(let address): "[\(address.text)]"
        // A zone means nothing to anybody else.
        case .v6(let address): "[IPv6:\(IPv6Address(bits: address.bits).text)]"
        case nil: "localhost"
        }
    }
}
