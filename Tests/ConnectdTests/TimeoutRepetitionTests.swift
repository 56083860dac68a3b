import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing

@testable import connectd

@Suite struct TimeoutRepetitionTests {
    private static func attempt(_ host: UInt32, _ report: ErrorReport, icmp: ICMPSender? = nil) -> CheckResult {
        let address = IPAddress.v4(IPv4Address(bits: host))
        var attempt = AttemptResult(
            endpoint: .ip(IPEndpoint(address: address, port: 1)), outcome: .failed(report.errorClass), phase: .connect,
            startNanoseconds: 0)
        attempt.error = report
        if let icmp {
            attempt.icmp = ICMPMessage(family: .ipv4, type: 3, code: 3, from: address)
            attempt.icmpSender = icmp
        }
        return CheckResult(
            ok: false, outcome: attempt.outcome, phase: .connect, error: report, attempts: [attempt], resolution: nil,
            timings: Timings(), startedAtNanoseconds: 0)
    }

    private static func silent(_ host: UInt32) -> CheckResult {
        attempt(host, Classifier.deadlineReport(in: Circumstances(phase: .connect, transport: .tcp)))
    }

    private static func refused(_ host: UInt32, icmp: ICMPSender?) throws -> CheckResult {
        attempt(host, try #require(ErrnoCatalogue.entry(named: "ECONNREFUSED")).report, icmp: icmp)
    }

    @Test func hostsTakeTurns() throws {
        let results = [
            Self.silent(1), Self.silent(1), Self.silent(1), Self.silent(2), try Self.refused(3, icmp: nil), nil,
            Self.silent(4), Self.silent(4),
        ]
        let repetition = TimeoutRepetition(of: results)
        #expect(
            repetition.segments == [
                .init(indices: [0, 6, 3], hosts: 3), .init(indices: [1, 7], hosts: 2), .init(indices: [2], hosts: 1),
            ])
        #expect(repetition.count == 6)
    }

    @Test func roundsOfTheSameHostsAreOneSegment() {
        let results = (0..<300).map { Self.silent(UInt32($0 % 3)) }
        let repetition = TimeoutRepetition(of: results)
        #expect(repetition.segments.count == 1)
        #expect(repetition.count == 3 * TimeoutRepetition.checksOfHost)
        #expect(Array(repetition.segments[0].indices.prefix(4)) == [0, 1, 2, 3])
        #expect(TimeoutRepetition(of: []).count == 0)
    }

    @Test func onlySilentPortsOfAHostThatRejectsByICMPAreSuspects() throws {
        let results = [
            Self.silent(1), Self.silent(2), Self.silent(3), try Self.refused(1, icmp: .target),
            try Self.refused(2, icmp: .intermediate), try Self.refused(3, icmp: nil),
        ]
        #expect(TimeoutRepetition.suspects(in: results) == [0])
        #expect(TimeoutRepetition.suspects(in: [Self.silent(1)]).isEmpty)
    }
}
