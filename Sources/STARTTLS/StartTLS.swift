package import CheckModel
package import NetworkTypes

/// Creates the negotiation of each protocol.
package enum StartTLS {
    /// - Parameter client: our own address, for the greeting of SMTP; nil for a UNIX-domain socket.
    package static func negotiation(
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

    /// RFC 5321, 4.1.3: a client without a name sends an address literal.
    private static func literal(_ address: IPAddress?) -> String {
        switch address {
        case .v4(let address): "[\(address.text)]"
        // A zone has no meaning on other machines.
        case .v6(let address): "[IPv6:\(IPv6Address(bits: address.bits).text)]"
        case nil: "localhost"
        }
    }
}
