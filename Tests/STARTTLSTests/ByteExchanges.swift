import CheckModel

private let streamOpening =
    "<?xml version='1.0'?><stream:stream to='a.example' xmlns='jabber:client'"
    + " xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
private let serverOpening = streamOpening.replacing("jabber:client", with: "jabber:server")
private let streamBegin =
    "<?xml version='1.0'?>\n<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='>'>"
private let streamTLS = "urn:ietf:params:xml:ns:xmpp-tls"
private let askTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
private let ldapRequest =
    "\u{30}\u{1D}\u{02}\u{01}\u{01}\u{77}\u{18}\u{80}\u{16}1.3.6.1.4.1.1466.20037"
private let postgresRequest = "\0\0\0\u{08}\u{04}\u{D2}\u{16}\u{2F}"
private let telnetWill = "\u{FF}\u{FB}\u{2E}"
private let telnetFollows = "\u{FF}\u{FA}\u{2E}\u{01}\u{FF}\u{F0}"
private let notXMPP = "this is not XMPP"

/// A greeting of protocol 10.
/// - Parameter capabilities: the lower two bytes, lowest first.
private func mysqlGreeting(_ capabilities: String) -> String {
    let body =
        "\u{0A}8.0.1\0" + "\u{07}\0\0\0" + "saltsalt" + "\0" + capabilities + "\u{2D}" + "\u{02}\0" + "\u{FF}\u{DF}"
        + "\u{15}" + String(repeating: "\0", count: 10) + "moresaltmore\0" + "caching_sha2_password\0"
    return packet(body)
}

private func packet(_ body: String) -> String {
    String(UnicodeScalar(UInt8(body.unicodeScalars.count))) + "\0\0\0" + body
}

/// CLIENT_PROTOCOL_41, CLIENT_SSL and CLIENT_SECURE_CONNECTION; 16 MiB; utf8mb4.
private let mysqlRequest =
    "\u{20}\0\0\u{01}" + "\0\u{8A}\0\0" + "\0\0\0\u{01}" + "\u{2D}" + String(repeating: "\0", count: 23)

let bytesReady = [
    Exchange(
        name: .ldap, peer: "\u{30}\u{0C}\u{02}\u{01}\u{01}\u{78}\u{07}\u{0A}\u{01}\0\u{04}\0\u{04}\0",
        sent: [ldapRequest]),
    Exchange(
        name: .ldap,
        peer: "\u{30}\u{84}\0\0\0\u{28}\u{02}\u{01}\u{01}\u{78}\u{84}\0\0\0\u{1F}\u{0A}\u{01}\0\u{04}\0\u{04}\0"
            + "\u{8A}\u{16}1.3.6.1.4.1.1466.20037", sent: [ldapRequest]),
    Exchange(name: .postgres, peer: "S", sent: [postgresRequest]),
    Exchange(name: .mysql, peer: mysqlGreeting("\u{FF}\u{FF}"), sent: [mysqlRequest]),
    Exchange(
        name: .xmpp,
        peer: streamBegin + "<!-- <proceed xmlns='\(streamTLS)'/> --><stream:features><a b='/stream:features>'/>"
            + "<t:starttls xmlns:t=\"\(streamTLS)\"><t:required /></t:starttls><x><![CDATA[</x>]]></x></stream:features >"
            + " <proceed xmlns='\(streamTLS)'/>", sent: [streamOpening, askTLS]),
    Exchange(
        name: .xmppServer,
        peer: streamBegin
            + "<features xmlns='http://etherx.jabber.org/streams'><starttls xmlns='\(streamTLS)'/></features>"
            + "<proceed\n xmlns = '\(streamTLS)'></proceed>", sent: [serverOpening, askTLS]),
    Exchange(
        name: .telnet, peer: "\u{FF}\u{FD}\u{2E}" + telnetFollows, sent: [telnetWill, telnetFollows]),
    Exchange(
        name: .telnet,
        peer:
            "hi\r\n\u{FF}\u{FF}\u{FF}\u{F9}\u{FF}\u{FD}\u{18}\u{FF}\u{FB}\u{01}\u{FF}\u{FA}\u{18}\u{01}\u{FF}\u{FF}\u{2E}"
            + "\u{FF}\u{F0}\u{FF}\u{FD}\u{2E}\u{FF}\u{FD}\u{2E}" + telnetFollows,
        sent: [telnetWill, "\u{FF}\u{FC}\u{18}", "\u{FF}\u{FE}\u{01}", telnetFollows]),
]

let bytesRefused = [
    Exchange(
        name: .ldap,
        peer: "\u{30}\u{1A}\u{02}\u{01}\u{01}\u{78}\u{15}\u{0A}\u{01}\u{02}\u{04}\0\u{04}\u{0E}no TLS for you",
        sent: [ldapRequest], refusal: "LDAP result 2 (protocolError)", line: "no TLS for you"),
    Exchange(
        name: .ldap, peer: "\u{30}\u{0C}\u{02}\u{01}\0\u{78}\u{07}\u{0A}\u{01}\u{34}\u{04}\0\u{04}\0",
        sent: [ldapRequest], refusal: "LDAP result 52 (unavailable)"),
    Exchange(
        name: .ldap, peer: "\u{30}\u{03}\u{02}\u{01}\u{01}", sent: [ldapRequest], refusal: "this is not LDAP",
        line: "\u{30}\u{03}\u{02}\u{01}\u{01}"),
    Exchange(name: .postgres, peer: "N", sent: [postgresRequest], refusal: "it does not offer TLS", line: "N"),
    Exchange(
        name: .postgres, peer: "E\0\0\0\u{22}SFATAL\0C0A000\0Mno such thing\0\0",
        sent: [postgresRequest], refusal: "it answers with the error 0A000", line: "no such thing"),
    Exchange(
        name: .mysql, peer: packet("\u{FF}\u{69}\u{04}Host 'x' is blocked"), sent: [],
        refusal: "the greeting refuses us with error 1129", line: "Host 'x' is blocked"),
    Exchange(
        name: .mysql, peer: mysqlGreeting("\u{FF}\u{F7}"), sent: [], refusal: "it does not offer TLS", line: "8.0.1"),
    Exchange(
        name: .mysql, peer: packet("\u{09}3.21\0"), sent: [], refusal: "this is not MySQL's protocol 10",
        line: "\u{09}3.21\0"),
    Exchange(
        name: .xmpp,
        peer: streamBegin
            + "<stream:features><starttls xmlns='other'/><b><starttls xmlns='\(streamTLS)'/></b></stream:features>",
        sent: [streamOpening], refusal: "it does not offer STARTTLS",
        line: "<stream:features><starttls xmlns='other'/><b><starttls xmlns='\(streamTLS)'/></b></stream:features>"),
    Exchange(
        name: .xmpp,
        peer: streamBegin
            + "<stream:features><starttls xmlns='\(streamTLS)'/></stream:features><failure xmlns='\(streamTLS)'/>",
        sent: [streamOpening, askTLS], refusal: "it refuses STARTTLS", line: "<failure xmlns='\(streamTLS)'/>"),
    Exchange(
        name: .xmpp, peer: streamBegin + "<stream:error><host-unknown/></stream:error></stream:stream>",
        sent: [streamOpening], refusal: "it ends the stream",
        line: "<stream:error><host-unknown/></stream:error>"),
    Exchange(
        name: .xmpp, peer: "<!D", sent: [streamOpening], refusal: notXMPP, line: "<!D"),
    Exchange(name: .xmpp, peer: "<a>", sent: [streamOpening], refusal: notXMPP, line: "<a>"),
    Exchange(
        name: .xmppServer, peer: streamBegin + "<proceed xmlns='\(streamTLS)'/>", sent: [serverOpening],
        refusal: "it goes on to TLS without being asked", line: "<proceed xmlns='\(streamTLS)'/>"),
    Exchange(
        name: .telnet, peer: "login: \u{FF}\u{FE}\u{2E}", sent: [telnetWill], refusal: "it does not offer START_TLS",
        line: "\u{FF}\u{FE}\u{2E}"),
    Exchange(
        name: .telnet, peer: telnetFollows, sent: [telnetWill], refusal: "START_TLS follows without an agreement",
        line: telnetFollows),
]
