public import ErrorCatalogue
internal import NetworkTypes

/// A TLS handshake as it was asked for: the member `tls` of a check.
public struct TLSOptions: Hashable, Sendable {
    public enum Revocation: String, CaseIterable, Sendable {
        case none
        /// The peer has to staple an OCSP response (RFC 6066, 8) that says `good`.
        case ocspStapled = "ocsp_stapled"
    }
    /// The name that is sent (SNI, RFC 6066, 3) and verified; an address is verified and not sent. nil: the target's host.
    public var serverName: String?
    /// Whether the chain and the name decide about success; both are reported all the same.
    public var verify = true
    /// `ca`: the name of an entry under `authorities` in the configuration; nil: the system's authorities.
    public var authority: String?
    /// The name of an entry under `client_certificates` in the configuration.
    public var clientCertificate: String?
    /// RFC 7301, in the order of preference; empty: the extension is not sent.
    public var alpn: [String] = []
    public var minimumVersion: TLSVersion?
    public var maximumVersion: TLSVersion?
    /// OpenSSL's cipher list for TLS 1.2 and below, and names of TLS 1.3 suites.
    public var ciphers: String?
    /// What is said before the handshake; nil: the handshake comes at once.
    public var startTLS: StartTLSProtocol?
    /// The peer's alert that is the success, RFC 8446, 6: a server that has to refuse us.
    public var expectedAlert: TLSAlert?
    /// 0 …: a certificate of the peer's chain that expires sooner is CERT_EXPIRES_SOON.
    public var minimumDaysLeft: Int?
    public var revocation: Revocation = .none
    /// Whether the report says when the chain ends that lasts longest; this may cost signatures.
    public var findsLongestChain = false
    /// Whether a TLS 1.2 server without secure renegotiation (RFC 5746) is accepted.
    public var legacyRenegotiation = false

    public init() {}
}

/// A protocol version that a request may name, as `1.2` in JSON.
public enum TLSVersion: String, CaseIterable, Comparable, Sendable {
    case tls10 = "1.0"
    case tls11 = "1.1"
    case tls12 = "1.2"
    case tls13 = "1.3"

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The protocols in which connectd knows how to ask for TLS: values of `tls.starttls`.
public enum StartTLSProtocol: String, CaseIterable, Sendable {
    case smtp, lmtp, imap, pop3, ftp, ldap, postgres, mysql, xmpp
    case xmppServer = "xmpp-server"
    case nntp, sieve, irc, telnet
}

/// The rules of `tls.server_name`: those of a target's host.
public enum ServerName {
    /// Why a text is no name or address that a certificate could be for, in one sentence; nil where it is one.
    public static func flaw(in text: String) -> String? {
        do throws(TargetError) {
            guard case .address(.v6(let address)) = try Host(member: text), address.zone != nil else { return nil }
            return "a server name must not have a zone: certificates never contain one"
        } catch {
            return error.detail
        }
    }
}

/// Which names of application protocols (ALPN) a client may choose that may not choose what is said to a peer.
///
/// The names of a ClientHello are plain text to a peer that does not speak TLS. Each has its length in front of it, as one byte.
/// So a name with a line end, or several names whose lengths look like one, would be a command to such a peer.
public enum ApplicationProtocols {
    /// What the rule says to a client.
    public static let rule = """
        is limited by policy.dialogs to names of the IANA registry (such as h2), and to names of 1 to 31 visible ASCII \
        characters, of which at most one has 10 or 13 and then none has 9 to 13 beside it
        """

    /// Whether these names cannot make a text that a peer could take for a command.
    public static func areHarmless(_ names: [String]) -> Bool {
        let others = names.filter { !registry.contains($0) }
        guard !others.isEmpty else { return true }
        guard others.allSatisfy(isToken) else { return false }
        let lengths = names.map(\.utf8.count)
        // HT, LF, VT, FF and CR: a line begins at a name of 10 or 13 bytes, and the next such length ends or divides it.
        let spaces = lengths.filter { (9...13).contains($0) }
        return spaces.count <= 1 || !spaces.contains { $0 == 10 || $0 == 13 }
    }

    /// At 32 bytes the length would be a space.
    private static func isToken(_ name: String) -> Bool {
        (1...31).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// IANA's registry "TLS Application-Layer Protocol Negotiation (ALPN) Protocol IDs", but for the reserved values of
    /// RFC 8701, which are not text.
    private static let registry: Set<String> = [
        "http/0.9", "http/1.0", "http/1.1", "spdy/1", "spdy/2", "spdy/3", "stun.turn", "stun.nat-discovery", "h2",
        "h2c",
        "webrtc", "c-webrtc", "ftp", "imap", "pop3", "managesieve", "coap", "co", "xmpp-client", "xmpp-server",
        "acme-tls/1", "mqtt", "dot", "ntske/1", "sunrpc", "h3", "smb", "irc", "nntp", "nnsp", "doq", "sip/2", "tds/8.0",
        "dicom", "postgresql", "radius/1.0", "radius/1.1",
    ]
}
