import CheckModel
import STARTTLS
import TestSupport
import Testing

/// A scripted exchange and its result. The result is the same in one piece and byte by byte.
struct Exchange: Sendable, CustomTestStringConvertible {
    let name: StartTLSProtocol
    /// Lines end in CRLF here, as in the protocol.
    let peer: String
    let sent: [String]
    /// nil: ready for TLS.
    var refusal: String?
    var line = ""

    var testDescription: String { "\(name.rawValue): \(refusal ?? "ready") after \(peer.debugDescription.prefix(60))" }
}

@Suite struct NegotiationTests {
    @Test(arguments: linesReady + linesRefused + bytesReady + bytesRefused)
    func eachExchangeHasItsResult(_ exchange: Exchange) {
        let peer = Latin1.bytes(exchange.peer)
        for size in [1, 2, 3, peer.count] {
            let play = NegotiationPlay(exchange.name, peer, size: size, host: "a.example")
            #expect(play.sent == exchange.sent)
            let expected = exchange.refusal.map { NegotiationPlay.Outcome.refused($0, exchange.line) } ?? .ready
            #expect(play.ending == expected)
            #expect(play.rest == "")
        }
    }

    @Test(arguments: linesReady + bytesReady)
    func bytesAfterTheGoAheadAreLeft(_ exchange: Exchange) {
        let peer = Latin1.bytes(exchange.peer) + Array("evil".utf8)
        for size in [1, peer.count] {
            let play = NegotiationPlay(exchange.name, peer, size: size)
            #expect(play.ending == .ready)
            #expect(play.rest == "evil")
        }
    }

    /// No prefix of a valid exchange is ready or refused.
    @Test(arguments: linesReady + bytesReady)
    func noPrefixIsReadyOrRefused(_ exchange: Exchange) {
        // MySQL's server does not answer: our packet is the end of the exchange.
        let peer = Latin1.bytes(exchange.peer)
        for count in 0..<peer.count {
            let play = NegotiationPlay(exchange.name, Array(peer[..<count]), size: count + 1)
            #expect(play.ending == .waiting, "after \(count) bytes")
        }
    }

    @Test(arguments: StartTLSProtocol.allCases)
    func everyProtocolHasAnAcceptingAndARefusingPeer(_ name: StartTLSProtocol) {
        #expect((linesReady + bytesReady).contains { $0.name == name })
        #expect((linesRefused + bytesRefused).contains { $0.name == name })
    }

    /// PostgreSQL's ErrorResponse, in the middle of which the peer ends.
    @Test(arguments: [
        (
            "E\0\0\0\u{50}SFATAL\0C53300\0Msorry, too many clients", "it answers with the error 53300",
            "sorry, too many clients"
        ),
        ("E\0\0\0\u{50}SFATAL\0Mno encryption\0F", "it answers with an error", "no encryption"),
        ("E\0\0\0\u{50}SFATAL", "it answers with an error", "SFATAL"),
        ("EFAT", "it answers with an error", "FAT"),
        ("E\0\0", "it answers with an error", ""),
    ])
    func anErrorThatEndsEarlyKeepsItsText(_ peer: String, reason: String, words: String) {
        var negotiation = StartTLS.negotiation(of: .postgres, host: nil, client: nil)
        var received = Latin1.bytes(peer)[...]
        #expect(negotiation.advance(&received) == .wait)
        guard case .refused(reason, let line, _) = negotiation.end(with: received) else {
            Issue.record("not refused")
            return
        }
        #expect(line.elementsEqual(Latin1.bytes(words)))
    }

    @Test(arguments: StartTLSProtocol.allCases.filter { $0 != .telnet })
    func aWebServerIsRefused(_ name: StartTLSProtocol) {
        let peer = Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".utf8)
        guard case .refused = NegotiationPlay(name, peer, size: peer.count).ending else {
            Issue.record("not refused")
            return
        }
    }

    @Test(arguments: StartTLSProtocol.allCases.filter { $0 != .telnet && $0 != .postgres && $0 != .mysql })
    func anEndlessLineIsRefused(_ name: StartTLSProtocol) {
        let beginnings: [StartTLSProtocol: String] = [
            .sieve: "\"A\" \"", .ldap: "\u{30}\u{84}\u{00}\u{00}\u{0F}\u{FF}", .xmpp: "<", .xmppServer: "<!--",
        ]
        let peer = Latin1.bytes((beginnings[name] ?? "") + String(repeating: "a", count: 5000))
        for size in [1, 5006] {
            guard case .refused = NegotiationPlay(name, peer, size: size).ending else {
                Issue.record("not refused")
                return
            }
        }
    }
}
