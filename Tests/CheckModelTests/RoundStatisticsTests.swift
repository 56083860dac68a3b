import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing

@Suite struct RoundStatisticsTests {
    private static let address = IPAddress.v4(IPv4Address(bits: 0x0A00_0007))
    private static let otherAddress = IPAddress.v4(IPv4Address(bits: 0x0A00_0008))

    private func time(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: 5_000_000_000).advanced(byMilliseconds: milliseconds)
    }

    /// A TCP round that connected after so many retransmissions.
    private func connected(
        at start: Int, taking duration: Int, retransmits: Int = 0, rtt: UInt32? = 100, from address: IPAddress = address
    ) -> FinishedRound {
        FinishedRound(
            outcome: .connected, ok: true, durationNanoseconds: Int64(duration) * 1_000_000, synSent: 1 + retransmits,
            synRetransmits: retransmits, packetsSent: 1 + retransmits, packetsLost: retransmits, rttMicroseconds: rtt,
            address: address, start: time(start), end: time(start + duration))
    }

    /// A TCP round without an answer.
    private func silent(at start: Int, taking duration: Int, retransmits: Int = 0) -> FinishedRound {
        FinishedRound(
            outcome: .failed(.timeout), ok: false, durationNanoseconds: Int64(duration) * 1_000_000,
            synSent: 1 + retransmits, synRetransmits: retransmits, packetsSent: 1 + retransmits,
            packetsLost: 1 + retransmits, address: Self.address, start: time(start), end: time(start + duration))
    }

    private func statistics(of rounds: [FinishedRound]) -> RoundStatistics {
        var statistics = RoundStatistics()
        for round in rounds { statistics.note(round) }
        return statistics
    }

    @Test func `no rounds have no times and no loss`() {
        let none = RoundStatistics()
        #expect(none.sent == 0)
        #expect(none.loss == nil)
        #expect(none.times.median == nil)
        #expect(none.longestOutage == 0)
    }

    @Test func `rounds are counted by outcome`() {
        let some = statistics(of: [
            connected(at: 0, taking: 1), silent(at: 10, taking: 5), connected(at: 20, taking: 3),
        ])
        #expect((some.sent, some.ok) == (3, 2))
        #expect(some.byOutcome.map(\.outcome) == [.connected, .failed(.timeout)])
        #expect(some.byOutcome.map(\.count) == [2, 1])
        #expect(some.times.count == 2)
        #expect(some.times.mean == 2_000_000)
    }

    @Test func `a lost SYN is loss, not a slow connect`() {
        let some = statistics(of: [
            connected(at: 0, taking: 1), connected(at: 10, taking: 1001, retransmits: 1, rtt: 1_001_000),
        ])
        #expect(some.ok == 2)
        #expect((some.synSent, some.synRetransmits, some.lost) == (3, 1, 1))
        #expect(some.loss == 1.0 / 3)
        #expect(some.times.max == 1_000_000)
        #expect(some.rtts.max == 100)
        #expect(some.retransmittedTimes.max == 1_001_000_000)
    }

    @Test func `if no round succeeds, the loss is 1 and times are nil`() {
        let none = statistics(of: [silent(at: 0, taking: 500), silent(at: 600, taking: 1500, retransmits: 1)])
        #expect(none.loss == 1)
        #expect(none.synSent == 3)
        #expect([none.times.min, none.times.standardDeviation, none.rtts.median] == [nil, nil, nil])
        #expect(none.longestOutage == 2_100_000_000)
    }

    @Test func `an outage ends when the next round that is ok begins`() {
        let some = statistics(of: [
            silent(at: 0, taking: 100), connected(at: 200, taking: 1), silent(at: 1000, taking: 100),
            silent(at: 2000, taking: 100), connected(at: 3000, taking: 1), silent(at: 4000, taking: 100),
        ])
        #expect(some.longestOutage == 2_000_000_000)
    }

    @Test func `an outage at the end lasts until the last round ended`() {
        let some = statistics(of: [connected(at: 0, taking: 1), silent(at: 100, taking: 50)])
        #expect(some.longestOutage == 50_000_000)
    }

    @Test func `addresses are distinct, in the order of their first use, and bounded`() {
        let some = statistics(of: [
            connected(at: 0, taking: 1), connected(at: 1, taking: 1, from: Self.otherAddress),
            connected(at: 2, taking: 1),
        ])
        #expect(some.addresses == [Self.address, Self.otherAddress])
        let many = statistics(
            of: (0..<1000).map { connected(at: $0, taking: 1, from: .v4(IPv4Address(bits: UInt32($0)))) })
        #expect(many.addresses.count == RoundStatistics.largestAddressCount)
    }

    @Test func `an expected failure is ok, and has a time`() {
        let refused = FinishedRound(
            outcome: .failed(.refused), ok: true, durationNanoseconds: 2_000_000, synSent: 1, packetsSent: 1,
            start: time(0), end: time(2))
        let some = statistics(of: [refused])
        #expect(some.loss == 0)
        #expect(some.times.median == 2_000_000)
    }

    @Test func `a round without a packet is not a loss`() {
        let local = FinishedRound(
            outcome: .failed(.proberExhausted), ok: false, durationNanoseconds: 0, start: time(0), end: time(0))
        #expect(statistics(of: [local]).loss == nil)
        #expect(statistics(of: [local, connected(at: 1, taking: 1)]).loss == 0)
    }
}

/// Rounds made from results.
@Suite struct FinishedRoundTests {
    private static let endpoint = IPEndpoint(address: .v4(IPv4Address(bits: 0x0A00_0007)), port: 80)

    private func attempt(_ outcome: Outcome, _ phase: Phase, synSent: UInt32?) -> AttemptResult {
        var attempt = AttemptResult(
            endpoint: .ip(Self.endpoint), outcome: outcome, phase: phase, startNanoseconds: 0)
        attempt.tcpInformation = synSent.map {
            TCPInformation(
                synRetransmits: $0 == 0 ? 0 : $0 - 1, rttMicroseconds: outcome.isSuccess ? 70 : 0,
                rttVarianceMicroseconds: 0, retransmits: 0, sendMSS: 0, pathMTU: 0, synSent: $0)
        }
        return attempt
    }

    private func round(_ attempts: [AttemptResult]) -> FinishedRound {
        var timings = Timings()
        timings[.queue] = 1
        timings[.resolve] = 10
        timings[.connect] = 100
        timings[.hold] = 1000
        timings[.tls] = 10_000
        timings[.dialog] = 100_000
        let last = attempts.last
        let result = CheckResult(
            ok: true, outcome: last?.outcome ?? .connected, phase: last?.phase ?? .done, error: nil, attempts: attempts,
            resolution: nil, timings: timings, startedAtNanoseconds: 0)
        return FinishedRound(result, start: MonotonicTime(nanoseconds: 5), end: MonotonicTime(nanoseconds: 9))
    }

    @Test func `the time leaves out queue, resolver and hold`() {
        #expect(round([attempt(.connected, .done, synSent: 1)]).durationNanoseconds == 110_100)
    }

    @Test func `SYNs of all attempts add up`() {
        let round = round([attempt(.failed(.timeout), .connect, synSent: 2), attempt(.connected, .done, synSent: 3)])
        #expect((round.synSent, round.synRetransmits) == (5, 3))
        #expect((round.packetsSent, round.packetsLost) == (5, 4))
        #expect(round.rttMicroseconds == 70)
        #expect(round.address == Self.endpoint.address)
    }

    @Test(
        arguments: [
            (.failed(.refused), .connect, 0), (.failed(.timeout), .tls, 0), (.failed(.timeout), .hold, 0),
            (.failed(.unreachable), .connect, 1), (.failed(.closedEarly), .hold, 0), (.failed(.timeout), .connect, 1),
        ] as [(Outcome, Phase, Int)])
    func `a SYN is lost if the target did not answer it`(outcome: Outcome, phase: Phase, lost: Int) {
        let round = round([attempt(outcome, phase, synSent: 1)])
        #expect((round.packetsSent, round.packetsLost) == (1, lost))
    }

    @Test func `a SYN that did not leave is not lost`() {
        let round = round([attempt(.failed(.timeout), .connect, synSent: 0)])
        #expect((round.packetsSent, round.packetsLost, round.synRetransmits) == (0, 0, 0))
    }

    @Test func `a datagram without an answer is lost`() {
        let silent = round([attempt(.failed(.timeout), .dialog, synSent: nil)])
        #expect((silent.synSent, silent.packetsSent, silent.packetsLost) == (0, 1, 1))
        let answered = round([attempt(.answered, .done, synSent: nil)])
        #expect((answered.packetsSent, answered.packetsLost) == (1, 0))
    }
}
