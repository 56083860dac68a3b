/// The protocols in which connectd knows how to ask for TLS: values of `tls.starttls`.
public enum StartTLSProtocol: String, CaseIterable, Sendable {
    case smtp, lmtp, imap, pop3, ftp, ldap, postgres, mysql, xmpp
    case xmppServer = "xmpp-server"
    case nntp, sieve, irc, telnet
}
