import NetworkTypes
import Testing
@testable import connectd

@Suite("The output of wait")
struct WaitReportTests {
    private func report() throws -> WaitReport { WaitReport(requests: [try Results.request()], palette: .plain) }

    private func time(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000).advanced(byMilliseconds: milliseconds)
    }

    @Test("has a line at the start, for each change, and for a ready target")
    func changes() throws {
        var report = try report()
        let refused = try Results.failed("ECONNREFUSED")
        let line = report.line(for: refused, at: 0, now: time(0))
        #expect(line?.hasPrefix("wait  tcp://192.0.2.1:80  refused  ECONNREFUSED") == true)
        let repeated = report.line(for: refused, at: 0, now: time(5000))
        #expect(repeated == nil)
        let changed = report.line(for: try Results.failed("ENETUNREACH"), at: 0, now: time(6000))
        #expect(changed?.contains("ENETUNREACH") == true)
        let last = report.line(for: Results.connected(), at: 0, now: time(6001))
        #expect(last?.hasPrefix("ok    tcp://192.0.2.1:80  connected") == true)
    }

    @Test("is repeated every ten seconds")
    func repetition() throws {
        var report = try report()
        let refused = try Results.failed("ECONNREFUSED")
        let spoken = (0...250).filter { report.line(for: refused, at: 0, now: time($0 * 100)) != nil }
        #expect(spoken == [0, 100, 200])
    }

    @Test("has at most one line per second")
    func flapping() throws {
        var report = try report()
        let states = try [Results.failed("ECONNREFUSED"), Results.failed("ENETUNREACH")]
        let lines = (0..<500).compactMap { report.line(for: states[$0 % 2], at: 0, now: time($0 * 10)) }
        #expect(lines.count == 5)
    }

    @Test("ends with the targets that are not ready, the reasons and the hints")
    func failure() throws {
        var report = WaitReport(
            requests: [try Results.request(), try Results.request("tcp://b:1"), try Results.request("tcp://c:1")],
            palette: .plain)
        _ = report.line(for: Results.connected(), at: 0)
        _ = report.line(for: try Results.failed("ECONNREFUSED"), at: 1)
        let text = report.failure("timed out after 3s")
        let lines = text.split(separator: "\n")
        #expect(lines[0] == "connectd: timed out after 3s: 2 of 3 targets are not ready")
        #expect(lines[1].hasPrefix("FAIL  tcp://b:1           refused         "))
        #expect(lines[2] == "FAIL  tcp://c:1           not checked yet")
        #expect(lines[3].hasPrefix("1 target, ECONNREFUSED: fault: target. "))
    }

    @Test("names the expected state")
    func states() throws {
        let request = try Results.request()
        var report = WaitReport(requests: [request], condition: .down, palette: .plain)
        let waiting = report.line(for: Results.connected(), at: 0)
        #expect(waiting?.hasPrefix("wait  tcp://192.0.2.1:80  connected") == true)
        #expect(
            report.failure("timed out after 1s").hasPrefix("connectd: timed out after 1s: 1 of 1 targets is not down"))
        let met = report.line(for: try Results.failed("ECONNREFUSED"), at: 0)
        #expect(met?.hasPrefix("ok    ") == true)
        #expect(report.progress(elapsedNanoseconds: 1_500_000_000, leftNanoseconds: nil) == "1 of 1 down, 1 s")
    }

    @Test("explains an unverified datagram socket once")
    func unverified() throws {
        let requests = try [Results.request("udp://a:1"), Results.request("udp://b:1")]
        var report = WaitReport(requests: requests, palette: .plain)
        let lines = [0, 1].compactMap { report.line(for: Results.associated(), at: $0) }
        let first = try #require(lines.first)
        let second = try #require(lines.last)
        #expect(first.contains("not verified: UDP has no handshake") && first.contains("--until associated"))
        #expect(second.contains("not verified: UDP has no handshake") && !second.contains("--until"))
    }
}
