/// Durations counted by size: a histogram of Prometheus.
public struct DurationHistogram: Sendable {
    /// Upper bounds of the buckets: from a connect on loopback to the longest check. A last one takes everything above.
    public static let boundsNanoseconds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
        60_000_000_000,
    ]

    /// For each bucket how many fell into it, and into none below it.
    public private(set) var counts = [UInt64](repeating: 0, count: boundsNanoseconds.count + 1)
    public private(set) var sumNanoseconds: UInt64 = 0

    public init() {}

    public var count: UInt64 { counts.reduce(0, +) }

    /// A negative duration counts as none.
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
