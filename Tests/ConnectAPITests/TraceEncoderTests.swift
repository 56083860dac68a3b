import CheckModel
@testable import ConnectAPI
import NetworkTypes
import StrictJSON
import Testing

/// `trace` of a result, byte for byte.
@Suite struct TraceEncoderTests {
    private let trace: TraceReport = {
        let router = IPAddress.v4(IPv4Address(bits: 0x0A00_0001))
        let target = IPAddress.v4(IPv4Address(bits: 0x0A00_0007))
        let message = ICMPMessage(family: .ipv4, type: 11, code: 0, from: router)
        return TraceReport(
            target: target,
            hops: [
                TraceHop(
                    ttl: 1, from: router, rttNanoseconds: 200_000, icmp: message,
                    others: [.v4(IPv4Address(bits: 0x0A00_0002))]),
                TraceHop(ttl: 2), TraceHop(ttl: 3, from: target, rttNanoseconds: 400_000, stop: .reached),
            ],
            reached: true, flow: .varied, sourcePort: 40123, stop: .reached,
            mtu: PathMTU(value: 1400, from: router, ttl: 1), durationNanoseconds: 12_000_000)
    }()

    private func text(hidesPath: Bool) -> String {
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        TraceEncoder(hidesPath: hidesPath).writeMember(trace, to: &writer)
        writer.endObject()
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test func allMembersAreInOrder() {
        #expect(
            text(hidesPath: false)
                == #"{"trace":{"hops":[{"ttl":1,"from":"10.0.0.1","rtt_ms":0.2,"icmp":{"type":11,"code":0,"#
                + #""meaning":"time exceeded in transit","from":"10.0.0.1"},"others":["10.0.0.2"]},"#
                + #"{"ttl":2,"from":null,"rtt_ms":null,"icmp":null,"others":[]},"#
                + #"{"ttl":3,"from":"10.0.0.7","rtt_ms":0.4,"icmp":null,"others":[]}],"reached":true,"#
                + #""last_answer_ttl":3,"last_answer_from":"10.0.0.7","flow":"varied","source_port":40123,"#
                + #""stop":"reached","mtu":{"value":1400,"from":"10.0.0.1","ttl":1},"duration_ms":12}}"#)
    }

    @Test func publicProfileHidesThePath() {
        let text = text(hidesPath: true)
        #expect(!text.contains("10.0.0."))
        #expect(!text.contains("40123"))
        #expect(text.contains(#""last_answer_ttl":3,"last_answer_from":null"#))
        #expect(text.contains(#""rtt_ms":0.2,"icmp":{"type":11,"code":0,"meaning":"time exceeded in transit"}"#))
    }
}
