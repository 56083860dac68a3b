public import ErrorCatalogue
public import NetworkTypes

/// The statistics of a repeated check, in memory that does not grow with the number of rounds.
public struct RoundStatistics: Sendable {
    /// The number of rounds that outcomes are counted by.
    public struct OutcomeCount: Hashable, Sendable {
        public let outcome: Outcome
        public fileprivate(set) var count: Int
    }

    /// Finished rounds.
    public private(set) var sent = 0
    /// Rounds with the expected outcome.
    public private(set) var ok = 0
    /// In the order in which the outcomes first appeared.
    public private(set) var byOutcome: [OutcomeCount] = []
    /// SYNs that left this machine, retransmissions included.
    public private(set) var synSent = 0
    public private(set) var synRetransmits = 0
    /// The durations of rounds that were ok and had no SYN retransmission, in nanoseconds.
    public private(set) var times = SampleDistribution()
    /// The durations of rounds that were ok after SYN retransmissions, in nanoseconds. They show the kernel's
    /// retransmission timer rather than the network.
    public private(set) var retransmittedTimes = SampleDistribution()
    /// The kernel's round-trip times in rounds without SYN retransmissions, in microseconds.
    public private(set) var rtts = SampleDistribution()
    /// Distinct addresses in the order in which rounds first used them, `largestAddressCount` at most.
    public private(set) var addresses: [IPAddress] = []

    private var packetsSent = 0
    private var packetsLost = 0
    private var outageBegin: MonotonicTime?
    private var longestOutageNanoseconds: Int64 = 0
    private var lastEnd: MonotonicTime?

    /// The largest number of addresses that are listed.
    public static let largestAddressCount = 128

    public init() {}

    /// Adds a round. Rounds are in the order of their start.
    public mutating func note(_ round: FinishedRound) {
        sent += 1
        if round.ok { ok += 1 }
        count(round.outcome)
        synSent += round.synSent
        synRetransmits += round.synRetransmits
        packetsSent += round.packetsSent
        packetsLost += round.packetsLost
        if round.ok { noteTimes(of: round) }
        noteOutage(round)
        if let address = round.address, addresses.count < Self.largestAddressCount, !addresses.contains(address) {
            addresses.append(address)
        }
    }

    private mutating func count(_ outcome: Outcome) {
        if let index = byOutcome.firstIndex(where: { $0.outcome == outcome }) {
            byOutcome[index].count += 1
        } else {
            byOutcome.append(OutcomeCount(outcome: outcome, count: 1))
        }
    }

    private mutating func noteTimes(of round: FinishedRound) {
        let duration = UInt64(max(round.durationNanoseconds, 0))
        guard round.synRetransmits == 0 else { return retransmittedTimes.add(duration) }
        times.add(duration)
        if let rtt = round.rttMicroseconds { rtts.add(UInt64(rtt)) }
    }

    private mutating func noteOutage(_ round: FinishedRound) {
        lastEnd = max(lastEnd ?? round.end, round.end)
        if round.ok {
            longestOutageNanoseconds = max(longestOutageNanoseconds, outage(until: round.start))
            outageBegin = nil
        } else if outageBegin == nil {
            outageBegin = round.start
        }
    }

    private func outage(until end: MonotonicTime) -> Int64 {
        outageBegin.map { max(end.since($0), 0) } ?? 0
    }
}

extension RoundStatistics {
    /// The share of SYNs without an answer from the target, 0 … 1. An answer is a SYN-ACK or RST. For UDP and UNIX, the
    /// share of rounds without an answer. nil if nothing was sent.
    public var loss: Double? { packetsSent == 0 ? nil : Double(packetsLost) / Double(packetsSent) }

    /// SYNs without an answer from the target; for UDP and UNIX, rounds.
    public var lost: Int { packetsLost }

    /// The longest time in which no round was ok, in nanoseconds; 0 if all rounds were. It begins with a failed round, and
    /// ends with the start of the next round that is ok, or with the end of the last round.
    public var longestOutage: Int64 {
        max(longestOutageNanoseconds, lastEnd.map { outage(until: $0) } ?? 0)
    }
}

/// The statistics of a check with several rounds.
///
/// A class, because most checks have none.
public final class RoundsReport: Sendable {
    public let statistics: RoundStatistics

    public init(_ statistics: RoundStatistics) {
        self.statistics = statistics
    }
}

extension CheckResult {
    /// The result of this round as that of the whole check.
    public func withRounds(_ statistics: RoundStatistics) -> CheckResult {
        CheckResult(
            ok: ok, outcome: outcome, phase: phase, error: error, attempts: attempts, resolution: resolution,
            reports: reports, trace: trace, timings: timings, rounds: RoundsReport(statistics),
            startedAtNanoseconds: startedAtNanoseconds)
    }
}
