import CheckModel
import Testing

@Suite struct SampleDistributionTests {
    private func distribution(of samples: some Sequence<UInt64>) -> SampleDistribution {
        var distribution = SampleDistribution()
        for sample in samples { distribution.add(sample) }
        return distribution
    }

    @Test func `without samples every value is nil`() {
        let empty = SampleDistribution()
        #expect(
            [empty.min, empty.median, empty.mean, empty.percentile95, empty.max, empty.standardDeviation]
                == .init(repeating: nil, count: 6))
    }

    @Test func `one sample is every quantile, without deviation`() {
        let one = distribution(of: [7])
        #expect([one.min, one.median, one.mean, one.percentile95, one.max] == [7, 7, 7, 7, 7])
        #expect(one.standardDeviation == 0)
    }

    @Test func `few samples have exact quantiles, in any order`() {
        let even = distribution(of: [4, 1, 3, 2])
        #expect(even.median == 2.5)
        #expect(even.percentile95 == 4)
        #expect(even.mean == 2.5)
        #expect(abs((even.standardDeviation ?? .nan) - 1.118033988749895) < 1e-12)
        let hundred = distribution(of: (1...100).reversed())
        #expect(hundred.percentile95 == 95)
        #expect(hundred.median == 50.5)
    }

    @Test func `zero and the largest sample are possible`() {
        let extremes = distribution(of: [0, .max])
        #expect(extremes.min == 0)
        #expect(extremes.max == Double(UInt64.max))
        let many = distribution(of: (0..<2000).map { $0.isMultiple(of: 2) ? 0 : .max })
        #expect(many.min == 0)
        #expect(abs((many.percentile95 ?? 0) / Double(UInt64.max) - 1) < 0.01)
        #expect(many.max == Double(UInt64.max))
    }

    @Test(arguments: [UInt64(1), 997, 1_000_003])
    func `with many samples, quantiles are within one percent`(scale: UInt64) throws {
        let many = distribution(of: (1...100_000).map { $0 * scale })
        let median = try #require(many.median)
        let percentile95 = try #require(many.percentile95)
        #expect(abs(median / (50_000.5 * Double(scale)) - 1) < 0.01)
        #expect(abs(percentile95 / (95_000 * Double(scale)) - 1) < 0.01)
        #expect(many.min == Double(scale))
        #expect(many.max == Double(100_000 * scale))
        #expect(abs((many.mean ?? 0) / (50_000.5 * Double(scale)) - 1) < 1e-9)
    }

    @Test func `quantiles stay between minimum and maximum when samples are equal`() {
        let equal = distribution(of: [UInt64](repeating: 123_457, count: 5000))
        #expect(equal.median == 123_457)
        #expect(equal.percentile95 == 123_457)
        #expect(equal.standardDeviation == 0)
    }
}
