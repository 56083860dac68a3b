/// STARTTLS of XMPP, RFC 6120, 5, as a client or as another server.
struct XMPPNegotiation: StartTLSNegotiation {
    private static let streams = "http://etherx.jabber.org/streams"
    private static let tls = "urn:ietf:params:xml:ns:xmpp-tls"

    let opening: [UInt8]
    private var scanner = XMLScanner()
    private var isStarting = false
    private var isOffered = false
    /// The child of the stream that is being read, as received.
    private var stanza: ArraySlice<UInt8> = []

    /// - Parameter host: the name to request. With nil, or a name that XML cannot contain, no name is requested.
    init(isServer: Bool, host: String?) {
        let name = host.flatMap(Self.attribute).map { " to='\($0)'" } ?? ""
        let namespace = isServer ? "jabber:server" : "jabber:client"
        opening = Array(
            ("<?xml version='1.0'?><stream:stream\(name) xmlns='\(namespace)' xmlns:stream='\(Self.streams)'"
                + " version='1.0'>").utf8)
    }

    /// Escaped for both kinds of quotes, without the trailing dot of a domain name.
    private static func attribute(_ host: String) -> String? {
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        guard !name.isEmpty, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            return nil
        }
        return name.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "'": text += "&apos;"
            case "\"": text += "&quot;"
            case _: text.unicodeScalars.append(scalar)
            }
        }
    }

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        while true {
            let before = received
            let event = scanner.next(&received)
            note(before[..<received.startIndex], event)
            switch event {
            case .incomplete: return .wait
            case .malformed: return .refused("this is not XMPP", received.isEmpty ? stanza : received)
            case .passed: continue
            case .opened(let name):
                guard scanner.depth > 1 || name == XMLScanner.Name(namespace: Self.streams, local: "stream") else {
                    return .refused("this is not XMPP", before)
                }
                if scanner.depth == 3, name == XMLScanner.Name(namespace: Self.tls, local: "starttls") {
                    isOffered = true
                }
            case .closed(let name):
                let action = closed(name)
                guard action == .wait else { return action }
            }
        }
    }

    /// RFC 6120, 4.9.3: some conditions are temporary.
    private var streamError: StartTLSRefusal {
        let text = String(decoding: stanza, as: UTF8.self)
        let conditions = [
            "connection-timeout", "internal-server-error", "remote-connection-failed", "reset", "resource-constraint",
            "system-shutdown",
        ]
        let isTemporary = conditions.contains { text.contains("<\($0)") } || RefusalText.isTemporary(stanza)
        return .service(isTemporary: isTemporary)
    }

    private mutating func note(_ bytes: ArraySlice<UInt8>, _ event: XMLScanner.Event) {
        if case .opened = event, scanner.depth <= 2 { stanza = [] }
        stanza += bytes.prefix(max(StartTLSLimits.shownBytes - stanza.count, 0))
    }

    /// Called when an element is complete: the stream itself, or a child of it.
    private mutating func closed(_ name: XMLScanner.Name) -> StartTLSAction {
        if scanner.depth == 0 { return .refused("it ends the stream", stanza) }
        guard scanner.depth == 1 else { return .wait }
        switch (name.namespace, name.local) {
        case (Self.streams, "features"):
            guard !isStarting else { return .refused("it refuses STARTTLS", stanza) }
            guard isOffered else { return .refused("it does not offer STARTTLS", stanza, .notOffered) }
            isStarting = true
            return .send("<starttls xmlns='\(Self.tls)'/>")
        case (Self.streams, "error"): return .refused("it ends the stream", stanza, streamError)
        case (Self.tls, "failure"): return .refused("it refuses STARTTLS", stanza)
        case (Self.tls, "proceed"):
            return isStarting ? .ready : .refused("it goes on to TLS without being asked", stanza)
        case _: return .wait
        }
    }
}
