@testable import ConnectAPI
import HTTPServer
import NetworkTypes
import Testing

/// How often the metrics are written.
@Suite struct MetricsPaceTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test func aFloodOfOneListenerDoesNotAffectTheOther() {
        let pace = MetricsPace()
        for _ in 0..<MetricsPace.limit { #expect(pace.admits(.service, at: start)) }
        #expect(!pace.admits(.service, at: start))
        #expect(pace.admits(.health, at: start))
    }

    @Test func theNextWindowAdmitsAgain() {
        let pace = MetricsPace()
        for _ in 0..<100 { _ = pace.admits(.service, at: start) }
        let last = start.advanced(byMilliseconds: MetricsPace.windowMilliseconds - 1)
        #expect(!pace.admits(.service, at: last))
        #expect(pace.admits(.service, at: start.advanced(byMilliseconds: MetricsPace.windowMilliseconds)))
    }
}
