import Metrics
import Testing

@Suite struct ProcessUsageTests {
    @Test func processUsageIsReported() throws {
        let usage = ProcessUsage()
        #expect(try #require(usage.residentBytes) > 1 << 20)
        #expect(try #require(usage.virtualBytes) >= #require(usage.residentBytes))
        #expect(try #require(usage.openDescriptors) >= 3)
        #expect(try #require(usage.cpuSeconds) >= 0)
        #expect(try #require(usage.startTimeSeconds) > 1_700_000_000)
        #expect(try #require(usage.threads) >= 1)
    }
}
