import CheckModel
@testable import connectd
import NetworkTypes
import Testing

/// Traces as text.
@Suite struct TraceTextTests {
    private static func address(_ number: UInt32) -> IPAddress { .v4(IPv4Address(bits: 0xCB00_7100 | number)) }

    private static func hop(
        _ ttl: Int, type: UInt8 = 11, code: UInt8 = 0, others: [IPAddress] = []
    ) -> TraceHop {
        let from = address(UInt32(ttl))
        return TraceHop(
            ttl: ttl, from: from, rttNanoseconds: 120_000,
            icmp: ICMPMessage(family: .ipv4, type: type, code: code, from: from), others: others)
    }

    private func sentence(_ hops: [TraceHop], _ stop: TraceStop, reached: Bool = false, mtu: PathMTU? = nil) -> String {
        TraceText.sentence(
            TraceReport(
                target: Self.address(9), hops: hops, reached: reached, flow: .varied, sourcePort: nil, stop: stop,
                mtu: mtu, durationNanoseconds: 1))
    }

    @Test func sentencesSayHowTheTraceEnded() {
        let hops = [Self.hop(1), TraceHop(ttl: 2, from: Self.address(9), stop: .reached)]
        #expect(sentence(hops, .reached, reached: true) == "The target 203.0.113.9 answered at TTL 2.")
        #expect(sentence(hops, .refused, reached: true) == "The target 203.0.113.9 refused at TTL 2.")
        #expect(
            sentence([Self.hop(1), Self.hop(2, type: 3, code: 13)], .unreachable)
                == "203.0.113.2 (TTL 2) answered that the target is not reachable: administratively prohibited.")
        #expect(
            sentence([Self.hop(1), Self.hop(2, type: 3, code: 13)], .unreachable, reached: true)
                == "The target 203.0.113.9 itself rejected the probe: administratively prohibited.")
        #expect(sentence([], .unreachable) == "This machine has no route to 203.0.113.9.")
        #expect(
            sentence([Self.hop(1), TraceHop(ttl: 2)], .gap)
                == "The answers end at 203.0.113.1 (TTL 1). Hops after that may be silent or unreachable: a trace cannot tell which."
        )
        #expect(sentence([TraceHop(ttl: 1)], .gap).hasPrefix("The answers end at this machine: no hop answered."))
        #expect(sentence([Self.hop(1)], .deadline) == "The time ended. The last answer came from 203.0.113.1 (TTL 1).")
        #expect(sentence([Self.hop(1)], .maxTTL) == "The target is farther than TTL 1: raise the largest TTL.")
        #expect(sentence([], .policy) == "The policy denies 203.0.113.9, so nothing was sent.")
    }

    @Test func noSentenceClaimsALoss() {
        for stop in TraceStop.allCases {
            for hops in [[], [Self.hop(1)], [TraceHop(ttl: 1)]] {
                let text = sentence(hops, stop).lowercased()
                #expect(!text.contains("drop"))
                #expect(!text.contains("lost"))
            }
        }
    }

    @Test func otherPathsAndTheMTUFollow() {
        let hops = [Self.hop(1), Self.hop(2, others: [Self.address(7)])]
        #expect(
            sentence(hops, .maxTTL, mtu: PathMTU(value: 1400, from: Self.address(1), ttl: 1)).hasSuffix(
                " Other paths differ at TTL 2. The path MTU is 1400 bytes, as 203.0.113.1 (TTL 1) reported."))
    }

    @Test func linesAreAligned() {
        let layout = TraceLayout(.ipv4)
        let lines = [
            layout.heading, layout.lines(for: Self.hop(1))[0], layout.lines(for: TraceHop(ttl: 2))[0],
            layout.lines(for: TraceHop(ttl: 3, from: Self.address(9), rttNanoseconds: 90_000, stop: .reached))[0],
        ]
        #expect(
            lines == [
                "TTL  ADDRESS                 RTT  ANSWER", "  1  203.0.113.1         0.12 ms", "  2  *",
                "  3  203.0.113.9         0.09 ms  reached",
            ])
        #expect(
            layout.lines(for: Self.hop(4, others: [Self.address(7)]))[1]
                == "     203.0.113.7                  another path")
    }
}
