/// The distribution of samples of one kind, in memory that does not grow with their number.
///
/// Minimum, maximum, mean and standard deviation are exact. Quantiles are exact up to `exactCount` samples. With more
/// samples, they come from buckets, and their relative error is below 1 %.
public struct SampleDistribution: Hashable, Sendable {
    /// The number of samples up to which each one is kept.
    public static let exactCount = 1024

    public private(set) var count = 0
    /// 0 without samples, like the other values below.
    private var smallest: UInt64 = 0
    private var largest: UInt64 = 0
    private var runningMean = 0.0
    /// The sum of the squared differences from the mean: Welford's algorithm.
    private var squares = 0.0
    /// All samples, unsorted; empty once there are buckets.
    private var samples: [UInt64] = []
    /// The number of samples in each bucket, by its index.
    private var buckets: [UInt16: UInt64] = [:]

    public init() {}

    /// Adds a sample. The unit is the caller's.
    public mutating func add(_ sample: UInt64) {
        smallest = count == 0 ? sample : Swift.min(smallest, sample)
        largest = Swift.max(largest, sample)
        count += 1
        let difference = Double(sample) - runningMean
        runningMean += difference / Double(count)
        squares += difference * (Double(sample) - runningMean)
        if count <= Self.exactCount {
            samples.append(sample)
        } else {
            for earlier in samples { buckets[Self.bucket(of: earlier), default: 0] += 1 }
            samples = []
            buckets[Self.bucket(of: sample), default: 0] += 1
        }
    }
}

// Each of these is nil if there are no samples.
extension SampleDistribution {
    public var min: Double? { count == 0 ? nil : Double(smallest) }
    public var max: Double? { count == 0 ? nil : Double(largest) }
    public var mean: Double? { count == 0 ? nil : runningMean }
    /// The population standard deviation: 0 for one sample.
    public var standardDeviation: Double? {
        count == 0 ? nil : (Swift.max(squares, 0) / Double(count)).squareRoot()
    }
    /// The middle sample, or the mean of the two in the middle.
    public var median: Double? {
        guard count > 0 else { return nil }
        guard count.isMultiple(of: 2) else { return sample(ranked: count / 2) }
        return (sample(ranked: count / 2 - 1) + sample(ranked: count / 2)) / 2
    }
    /// The smallest sample that is at least as large as 95 % of the samples.
    public var percentile95: Double? {
        count == 0 ? nil : sample(ranked: (count * 95 + 99) / 100 - 1)
    }

    /// - Parameter rank: 0 for the smallest sample, `count - 1` for the largest.
    private func sample(ranked rank: Int) -> Double {
        guard buckets.isEmpty else { return bucketedSample(ranked: rank) }
        return Double(samples.sorted()[rank])
    }

    private func bucketedSample(ranked rank: Int) -> Double {
        var remaining = UInt64(rank)
        for (index, number) in buckets.sorted(by: { $0.key < $1.key }) {
            if remaining < number {
                return Swift.min(Swift.max(Self.middle(of: index), Double(smallest)), Double(largest))
            }
            remaining -= number
        }
        return Double(largest)
    }
}

// The buckets: each power of two is divided into 64 of equal width.
extension SampleDistribution {
    private static let divisionBits = 6

    private static func bucket(of sample: UInt64) -> UInt16 {
        let exponent = UInt64.bitWidth - 1 - sample.leadingZeroBitCount
        guard exponent > divisionBits else { return UInt16(sample) }
        let shift = exponent - divisionBits
        return UInt16((shift << divisionBits) + Int(sample >> UInt64(shift)))
    }

    /// The middle of a bucket's range.
    private static func middle(of bucket: UInt16) -> Double {
        let divisions = 1 << divisionBits
        guard Int(bucket) >= 2 * divisions else { return Double(bucket) }
        let shift = Int(bucket) / divisions - 1
        let leading = Double(divisions + Int(bucket) % divisions)
        let width = Double(UInt64(1) << UInt64(shift))
        return leading * width + (width - 1) / 2
    }
}
