@testable import ConnectAPI
import Testing

@Suite struct ServiceMetricsTests {
    @Test func `after the first hundred, certificates are counted together, but tokens never`() {
        let metrics = ServiceMetrics(workerCount: 1)
        for number in 0..<105 { metrics.noteDenied(on: 0, for: "cert:\(number)") }
        for number in 0..<150 { metrics.noteDenied(on: 0, for: "token\(number)") }
        metrics.noteCancelled(on: 0, for: "cert:7")
        #expect(metrics.clientCounts.count == 101 + 150)
        #expect(metrics.clientCounts["cert:(others)"] == 5)
        #expect(metrics.clientCounts["cert:7"] == 2)
    }
}
