import CheckEngine
import CheckModel
@testable import ConnectAPI
import NetworkTypes
import Testing

/// Which combinations of `hold_ms`, `half_open`, `count` and `interval_ms` are refused.
@Suite struct RoundsRulesTests {
    private func pointers(to members: String) throws -> [String] {
        try ConnectAPITests.pointers(#"{"target":"tcp://10.0.0.7:80",\#(members)}"#)
    }

    @Test(arguments: [
        (#""hold_ms":5000"#, "/hold_ms"),
        (#""hold_ms":1000,"timeout_ms":1000"#, "/hold_ms"),
        (#""half_open":true,"hold_ms":10"#, "/half_open"),
        (#""half_open":true,"tls":true"#, "/half_open"),
        (#""half_open":true,"dialog":[{"send":"x"}]"#, "/half_open"),
        (#""half_open":true,"socket":{"mptcp":true}"#, "/half_open"),
        (#""count":13"#, "/count"),
        (#""count":2,"timeout_ms":30001"#, "/count"),
        (#""count":2,"timeout_ms":1,"interval_ms":59999"#, "/count"),
        (#""interval_ms":1"#, "/interval_ms"),
        (#""count":2,"timeout_ms":1,"bind":{"port":5000}"#, "/bind/port"),
    ])
    func `a combination without a meaning is refused`(members: String, pointer: String) throws {
        #expect(try pointers(to: members) == [pointer])
    }

    @Test(arguments: [
        #""hold_ms":4999"#, #""hold_ms":0,"half_open":true,"count":1,"interval_ms":0"#,
        #""half_open":true,"tls":false"#,
        #""count":12"#, #""count":2,"timeout_ms":30000"#, #""count":2,"timeout_ms":1,"interval_ms":59998"#,
        #""count":2,"timeout_ms":1,"bind":{"port":5000},"socket":{"close":"rst"}"#,
        #""count":2,"timeout_ms":1,"bind":{"port":5000},"half_open":true"#,
        #""count":2,"timeout_ms":1,"bind":{"port":0}"#, #""count":1,"bind":{"port":5000}"#,
        #""hold_ms":10,"tls":true,"dialog":[{"send":"x"}]"#,
    ])
    func `a combination with a meaning is accepted`(members: String) throws {
        #expect(try pointers(to: members) == [])
    }

    @Test(arguments: ["udp://10.0.0.7:53", "unix:/run/x", "unix+dgram:/run/x", "tls://10.0.0.7:443"])
    func `only plain TCP can be half-open`(target: String) throws {
        #expect(
            try ConnectAPITests.pointers(#"{"target":"\#(target)","half_open":true,"tls":{"verify":false}}"#)
                .contains("/half_open"))
    }

    @Test func `a UNIX datagram socket cannot be held`() throws {
        #expect(try ConnectAPITests.pointers(#"{"target":"unix+dgram:/run/x","hold_ms":1}"#) == ["/hold_ms"])
        #expect(try ConnectAPITests.pointers(#"{"target":"udp://10.0.0.7:53","hold_ms":1}"#) == [])
        #expect(try ConnectAPITests.pointers(#"{"target":"unix+seqpacket:/run/x","hold_ms":1}"#) == [])
    }

    @Test func `the problem says what to write instead`() throws {
        var request = CheckRequest(target: try Target(parsing: "tcp://10.0.0.7:80"))
        request.count = 20
        request.intervalMilliseconds = 1000
        #expect(
            RoundsRules.flaws(of: request).map(\.detail) == [
                """
                is too large: count times timeout_ms plus the intervals is 119000 ms, and the limit is 60000; set \
                timeout_ms to 2050 or less, or lower count
                """
            ])
        request.intervalMilliseconds = 60_000
        #expect(RoundsRules.flaws(of: request).first?.detail.hasSuffix("; lower interval_ms or count") == true)
    }

    @Test func `a request with all members is decoded`() throws {
        let request = try decodedRequest(#""timeout_ms":500,"hold_ms":20,"count":3,"interval_ms":7"#)
        #expect((request.holdMilliseconds, request.isHalfOpen) == (20, false))
        #expect((request.count, request.intervalMilliseconds, request.longestMilliseconds) == (3, 7, 1514))
        #expect(try decodedRequest(#""half_open":true"#).isHalfOpen)
    }
}
