public import ErrorCatalogue
public import NetworkTypes

/// Options of a TLS handshake: the member `tls` of a check.
public struct TLSOptions: Hashable, Sendable {
    public enum Revocation: String, CaseIterable, Sendable {
        case none
        /// The peer must staple an OCSP response (RFC 6066, 8) with the status `good`.
        case ocspStapled = "ocsp_stapled"
    }
    /// The name to send (SNI, RFC 6066, 3) and to verify; an address is verified but not sent. nil means the target's
    /// host. An IDN is in its ASCII form.
    public var serverName: String?
    /// Whether certificate errors fail the check; they are reported in any case.
    public var verify = true
    /// `ca`: the name of an entry under `authorities` in the configuration; nil means the system's CAs.
    public var authority: String?
    /// The name of an entry under `client_certificates` in the configuration.
    public var clientCertificate: String?
    /// ALPN protocols (RFC 7301) in the order of preference; if empty, the extension is not sent.
    public var alpn: [String] = []
    public var minimumVersion: TLSVersion?
    public var maximumVersion: TLSVersion?
    /// OpenSSL's cipher list for TLS 1.2 and below, and names of TLS 1.3 suites.
    public var ciphers: String?
    /// The STARTTLS protocol before the handshake; nil to start with the handshake.
    public var startTLS: StartTLSProtocol?
    /// The alert (RFC 8446, 6) that counts as success, for a server that must refuse the client.
    public var expectedAlert: TLSAlert?
    /// 0 or more: a certificate in the peer's chain that expires sooner gives CERT_EXPIRES_SOON.
    public var minimumDaysLeft: Int?
    public var revocation: Revocation = .none
    /// Whether the report has `longestChainEnd`; this may need more signature checks.
    public var findsLongestChain = false
    /// Whether a TLS 1.2 server without secure renegotiation (RFC 5746) is accepted.
    public var legacyRenegotiation = false

    public init() {}
}

/// A TLS version in a request, such as `1.2` in JSON.
public enum TLSVersion: String, CaseIterable, Comparable, Sendable {
    case tls10 = "1.0"
    case tls11 = "1.1"
    case tls12 = "1.2"
    case tls13 = "1.3"

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The supported STARTTLS protocols: values of `tls.starttls`.
public enum StartTLSProtocol: String, CaseIterable, Sendable {
    case smtp, lmtp, imap, pop3, ftp, ldap, postgres, mysql, xmpp
    case xmppServer = "xmpp-server"
    case nntp, sieve, irc, telnet
}

/// The rules of `tls.server_name`, which are the same as for a target's host.
public enum ServerName {
    /// Returns the name or address as certificates have it: an IDN in its ASCII form, anything else as written.
    ///
    /// - Throws: Why the text cannot be a name or address in a certificate, as a lowercase phrase.
    public static func read(_ text: String) throws(TargetError) -> String {
        switch try Host(member: text) {
        case .address(.v6(let address)) where address.zone != nil:
            throw TargetError("a server name must not have a zone: certificates never contain one", member: .host)
        case .address: return text
        case .name(let name): return name
        }
    }

    /// Returns the same, but text that is not valid unchanged: no certificate matches it.
    public static func readOrKept(_ text: String) -> String {
        (try? read(text)) ?? text
    }

    /// Returns why `read` would throw; nil if it would not.
    public static func flaw(in text: String) -> String? {
        do throws(TargetError) {
            _ = try read(text)
            return nil
        } catch {
            return error.detail
        }
    }
}

/// The rules for ALPN names of clients that may not choose what is sent to a peer.
///
/// A peer that does not speak TLS sees the names of a ClientHello as plain text, each after its length in one byte. So
/// a name with a line end, or names whose lengths look like line ends, could be a command to such a peer.
public enum ApplicationProtocols {
    /// The rule as clients see it.
    public static let rule = """
        is limited by policy.dialogs to names of the IANA registry (such as h2), and to names of 1 to 31 visible ASCII \
        characters; if a name is not registered, one of 10 or 13 characters must be the only one of 9 to 13
        """

    /// Whether these names cannot form text that a peer could read as a command.
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

    /// The IANA registry "TLS Application-Layer Protocol Negotiation (ALPN) Protocol IDs", without the reserved values
    /// of RFC 8701, which are not text.
    private static let registry: Set<String> = [
        "http/0.9", "http/1.0", "http/1.1", "spdy/1", "spdy/2", "spdy/3", "stun.turn", "stun.nat-discovery", "h2",
        "h2c",
        "webrtc", "c-webrtc", "ftp", "imap", "pop3", "managesieve", "coap", "co", "xmpp-client", "xmpp-server",
        "acme-tls/1", "mqtt", "dot", "ntske/1", "sunrpc", "h3", "smb", "irc", "nntp", "nnsp", "doq", "sip/2", "tds/8.0",
        "dicom", "postgresql", "radius/1.0", "radius/1.1",
    ]
}
