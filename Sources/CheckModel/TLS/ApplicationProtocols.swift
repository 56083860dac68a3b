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
