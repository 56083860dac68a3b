public import CheckModel
public import ErrorCatalogue

/// The outcomes and durations of checks.
public struct CheckCounts: Sendable {
    /// The labels under which a check is counted.
    public struct OutcomeLabels: Hashable, Sendable {
        public let outcome: Outcome
        /// nil for a success.
        public let fault: Fault?

        public init(outcome: Outcome, fault: Fault?) {
            self.outcome = outcome
            self.fault = fault
        }
    }

    /// The number of checks by their labels.
    public var outcomes: [OutcomeLabels: UInt64] {
        Dictionary(uniqueKeysWithValues: outcomeCounts.map { ($0.labels, $0.count) })
    }
    /// In the order of first use. There are few, and frequent ones come early: a search is cheaper than a hash.
    private var outcomeCounts: [(labels: OutcomeLabels, count: UInt64)] = []
    /// DNS lookups by result: `ok`, or the name of the resolver's failure.
    public private(set) var lookups: [String: UInt64] = [:]
    private var durations = [DurationHistogram](repeating: DurationHistogram(), count: TimedPhase.inOrder.count)

    public init() {}

    /// Counts the result of one check, and the duration of each phase that it had.
    public mutating func note(_ result: CheckResult) {
        note(OutcomeLabels(outcome: result.outcome, fault: result.error?.fault))
        if let answer = Self.lookup(of: result) { lookups[answer, default: 0] += 1 }
        for phase in TimedPhase.inOrder {
            let nanoseconds = result.timings[phase]
            let isIncluded =
                switch phase {
                case .queue, .total: true
                case .connect: !result.attempts.isEmpty
                default: nanoseconds > 0
                }
            if isIncluded { durations[phase.rawValue].observe(nanoseconds: nanoseconds) }
        }
    }

    /// Counts a check that ended without a result.
    public mutating func note(_ labels: OutcomeLabels) {
        count(labels, 1)
    }

    public mutating func add(_ other: CheckCounts) {
        for (labels, number) in other.outcomeCounts { count(labels, number) }
        lookups.merge(other.lookups, uniquingKeysWith: +)
        for index in durations.indices { durations[index].add(other.durations[index]) }
    }

    private mutating func count(_ labels: OutcomeLabels, _ number: UInt64) {
        if let index = outcomeCounts.firstIndex(where: { $0.labels == labels }) {
            outcomeCounts[index].count += number
        } else {
            outcomeCounts.append((labels, number))
        }
    }

    /// nil if no name server was asked.
    private static func lookup(of result: CheckResult) -> String? {
        if let error = result.error, error.source == .resolver { return error.name }
        return result.resolution?.source == .dns ? "ok" : nil
    }

    public func durations(of phase: TimedPhase) -> DurationHistogram {
        durations[phase.rawValue]
    }
}

/// A Prometheus histogram of durations.
public struct DurationHistogram: Sendable {
    /// Upper bounds of the buckets, from a connect on loopback to the longest check. A last bucket has no bound.
    public static let boundsNanoseconds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
        60_000_000_000,
    ]

    /// The count of each bucket, without the buckets below it.
    public private(set) var counts = [UInt64](repeating: 0, count: boundsNanoseconds.count + 1)
    public private(set) var sumNanoseconds: UInt64 = 0

    public init() {}

    public var count: UInt64 { counts.reduce(0, +) }

    /// A negative duration counts as zero.
    public mutating func observe(nanoseconds: Int64) {
        counts[Self.bucket(of: nanoseconds)] += 1
        sumNanoseconds &+= UInt64(max(nanoseconds, 0))
    }

    public mutating func add(_ other: DurationHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sumNanoseconds &+= other.sumNanoseconds
    }

    /// The first bucket whose bound is not below the duration.
    private static func bucket(of nanoseconds: Int64) -> Int {
        var low = 0
        var high = boundsNanoseconds.count
        while low < high {
            let middle = (low + high) / 2
            if nanoseconds <= boundsNanoseconds[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
