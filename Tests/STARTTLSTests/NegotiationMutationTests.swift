import CheckModel
import NetworkTypes
@testable import STARTTLS
import TestSupport
import Testing

/// Peers that almost follow the protocol: nothing traps or loops, and the size of the received pieces does not matter.
@Suite struct NegotiationMutationTests {
    /// A linear congruential generator (Knuth's MMIX): the same numbers in each run.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private func kind(_ play: NegotiationPlay) -> String {
        switch play.ending {
        case .waiting: "waiting"
        case .ready: "ready"
        case .refused(let reason, _): reason
        }
    }

    @Test(arguments: linesReady + bytesReady)
    func mutatedPeersHaveTheSameResultInAnyPieces(_ exchange: Exchange) {
        var generator = Generator(state: UInt64(exchange.peer.utf8.count))
        let good = Latin1.bytes(exchange.peer)
        for _ in 0..<100 {
            var peer = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<peer.count, using: &generator)
                switch UInt8.random(in: 0...3, using: &generator) {
                case 0: peer[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: peer[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 2: peer.insert(peer[index], at: index)
                case _: if peer.count > 1 { peer.remove(at: index) }
                }
            }
            let whole = NegotiationPlay(exchange.name, peer, size: peer.count)
            let dripped = NegotiationPlay(exchange.name, peer, size: 1)
            #expect(kind(whole) == kind(dripped), "\(peer)")
            #expect(whole.sent == dripped.sent, "\(peer)")
            #expect(whole.rest == dripped.rest, "\(peer)")
        }
    }

    @Test(arguments: [
        ("a.example.", " to='a.example'"), ("a'/><evil b=\"<&>", " to='a&apos;/&gt;&lt;evil b=&quot;&lt;&amp;&gt;'"),
        ("192.0.2.1", " to='192.0.2.1'"), ("a\u{0}b", ""), ("a\nb", ""), ("", ""), (".", ""), (nil, ""),
    ])
    func theNameForXMPPIsEscaped(_ host: String?, _ attribute: String) {
        let play = NegotiationPlay(.xmpp, [], size: 1, host: host)
        #expect(
            play.sent.first?.hasPrefix("<?xml version='1.0'?><stream:stream\(attribute) xmlns='jabber:client'") == true)
    }

    @Test(arguments: [
        ("192.0.2.9", "EHLO [192.0.2.9]\r\n"), ("fe80::1%eth0", "EHLO [IPv6:fe80::1]\r\n"), (nil, "EHLO localhost\r\n"),
    ])
    func smtpGreetingContainsOurAddress(_ client: String?, _ hello: String) {
        var negotiation = StartTLS.negotiation(
            of: .smtp, host: nil, client: client.flatMap { IPAddress(parsing: $0) })
        var received = Array("220 mx\r\n".utf8)[...]
        #expect(negotiation.advance(&received) == .send(hello))
    }
}
