internal import CheckModel
internal import NetworkTypes
@testable internal import STARTTLS
@testable internal import TLS

/// Peers that send any bytes before TLS. The first byte chooses the protocol, the second the sizes of the pieces.
enum StartTLSFuzz {
    /// The result does not depend on the pieces. What is sent and reported is limited.
    static func run(_ bytes: [UInt8]) {
        var reader = InputReader(bytes)
        let protocols = StartTLSProtocol.allCases
        let name = protocols[Int(reader.byte()) % protocols.count]
        let seed = reader.byte()
        let peer = Array(reader.rest)
        let whole = Negotiation(name, peer) { _ in peer.count }
        for dripped in [
            Negotiation(name, peer) { _ in 1 }, Negotiation(name, peer) { 1 + ($0 &* 31 &+ Int(seed)) % 7 },
        ] {
            expect(whole.kind == dripped.kind, "\(name): \(whole.kind) in one piece, \(dripped.kind) in several")
            expect(whole.sent == dripped.sent, "\(name): other bytes were sent")
            if whole.kind == "ready" { expect(whole.rest == dripped.rest, "\(name): other bytes are left") }
        }
        expect(whole.sent.joined().count <= 1024 + 2 * peer.count, "\(name): too many bytes were sent")
        expect(whole.sent.count <= 8 + peer.count, "\(name): too many messages were sent")
        if whole.kind == "ready" { expect(name.isAgreed(by: peer), "\(name): TLS without a go-ahead") }
    }

    /// A negotiation with a peer that sends these bytes.
    private struct Negotiation {
        private(set) var sent: [[UInt8]] = []
        private(set) var kind = "waiting"
        private(set) var rest: [UInt8] = []

        /// - Parameter size: the size of a piece by the number of bytes before it.
        init(_ name: StartTLSProtocol, _ peer: [UInt8], size: (Int) -> Int) {
            var negotiation = StartTLS.negotiation(of: name, host: "a.example", client: nil)
            if !negotiation.opening.isEmpty { sent.append(negotiation.opening) }
            var pending: ArraySlice<UInt8> = []
            var coming = peer[...]
            // Each step takes bytes, sends an answer to bytes that were taken, or ends the loop.
            for step in 0... {
                expect(step <= 4 * peer.count + 16, "\(name): the negotiation does not end")
                switch negotiation.advance(&pending) {
                case .send(let bytes): sent.append(bytes)
                case .ready:
                    kind = "ready"
                    rest = Array(pending + coming)
                    return
                case .refused(let reason, let line, let refusal):
                    note(reason, line, refusal)
                    return
                case .wait:
                    guard !coming.isEmpty else {
                        if case .refused(let reason, let line, let refusal)? = negotiation.end(with: pending) {
                            note(reason, line, refusal)
                        }
                        return
                    }
                    let count = size(peer.count - coming.count)
                    pending += coming.prefix(count)
                    coming = coming.dropFirst(count)
                }
            }
        }

        private mutating func note(_ reason: String, _ line: ArraySlice<UInt8>, _ refusal: StartTLSRefusal) {
            expectMessage(reason, atMost: 200)
            kind = "\(reason), \(refusal)"
        }
    }
}

extension StartTLSProtocol {
    /// Whether the peer has sent at least what every server of this protocol sends before TLS.
    fileprivate func isAgreed(by peer: [UInt8]) -> Bool {
        func contains(_ text: String) -> Bool {
            String(decoding: peer.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self).contains(text)
        }
        return switch self {
        case .smtp, .lmtp: contains("220") && contains("250") && contains("STARTTLS")
        case .imap: contains("* OK") && contains("A2 OK")
        case .pop3: contains("+OK")
        case .ftp: contains("220") && contains("234")
        case .ldap: peer.first == 0x30 && peer.contains(0x78)
        case .postgres: peer.first == UInt8(ascii: "S")
        case .mysql: peer.count > 30 && peer[4] == 10
        case .xmpp, .xmppServer: contains("<PROCEED") || contains(":PROCEED")
        case .nntp: contains("382")
        case .sieve: contains("STARTTLS") && contains("OK")
        case .irc: contains("670")
        case .telnet: peer.contains(0x2E) && peer.contains(0xFA)
        }
    }
}
