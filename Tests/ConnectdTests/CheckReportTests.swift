import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing
@testable import connectd

@Suite("The text report of a check")
struct CheckReportTests {
    @Test("aligns the lines of several targets, but not a single line")
    func alignment() throws {
        let requests = try ["tcp://a:1", "tcp://long.example:443"].map(Results.request)
        let layout = ReportLayout(requests.map(\.target))
        let first = HumanReport.text(Results.connected(), of: requests[0], layout: layout)
        let second = HumanReport.text(try Results.failed("ECONNREFUSED"), of: requests[1], layout: layout)
        #expect(first == "ok    tcp://a:1               connected          0.34 ms")
        #expect(
            second.hasPrefix(
                "FAIL  tcp://long.example:443  refused            0.10 ms  ECONNREFUSED (Connection refused)"))
        let single = HumanReport.text(Results.connected(), of: requests[0], layout: ReportLayout([requests[0].target]))
        #expect(single == "ok    tcp://a:1  connected  0.34 ms")
    }

    @Test("shows the expected outcomes")
    func expectations() throws {
        var request = try Results.request()
        request.expectation = .oneOf([.failed(.refused), .failed(.timeout)])
        let result = CheckResult(
            ok: false, outcome: .connected, phase: .done, error: nil, attempts: [], resolution: nil, timings: Timings(),
            startedAtNanoseconds: 0)
        let line = HumanReport.text(result, of: request, layout: ReportLayout([request.target]))
        #expect(line.hasPrefix("FAIL  ") && line.hasSuffix("expected refused or timeout"))
    }

    @Test("shows no control characters of the peer")
    func controlCharacters() throws {
        #expect(TerminalText.clean("a\u{1B}[2Jb\u{202E}c\u{2028}d\n") == "a\\u{1B}[2Jb\\u{202E}c\\u{2028}d\\u{A}")
        #expect(TerminalText.clean("grün 東京") == "grün 東京")
        let request = try Results.request("unix:/a\u{1B}[31mb")
        let line = HumanReport.text(Results.connected(), of: request, layout: ReportLayout([request.target]))
        #expect(!line.contains("\u{1B}"))
    }

    @Test(
        "verifies a datagram socket only by an answer or a request that names associated",
        arguments: [
            ("udp://a:1", nil, CheckVerdict.unverified), ("unix+dgram:/s", nil, .unverified),
            ("udp://a:1", .oneOf([.associated]), .ok), ("udp://a:1", .oneOf([.answered, .associated]), .ok),
            ("udp://a:1", .not(.failed(.refused)), .unverified),
        ] as [(String, CheckModel.Expectation?, CheckVerdict)])
    func datagrams(target: String, expectation: CheckModel.Expectation?, verdict: CheckVerdict) throws {
        var request = try Results.request(target)
        if let expectation { request.expectation = expectation }
        #expect(CheckVerdict(Results.associated(), of: request) == verdict)
    }

    @Test("shows each hint once, with the number of targets, the most frequent first")
    func hints() throws {
        var hints = HintCollection()
        for name in ["NXDOMAIN", "ECONNREFUSED", "ECONNREFUSED"] {
            hints.add(try Results.failed(name), of: try Results.request())
        }
        hints.add(Results.connected(), of: try Results.request())
        #expect(hints.lines.count == 2)
        #expect(hints.lines[0].hasPrefix("2 targets, ECONNREFUSED: fault: target. "))
        #expect(hints.lines[1].hasPrefix("1 target, NXDOMAIN: fault: "))
    }

    @Test("limits the number of hints, and of values in a hint")
    func manyHints() throws {
        var hints = HintCollection()
        for entry in ErrnoCatalogue.entries {
            if let result = try? Results.failed(entry.name) { hints.add(result, of: try Results.request()) }
        }
        #expect(hints.lines.count == 21 && hints.lines[20].hasPrefix("and "))
        var one = HintCollection()
        for milliseconds in 1...50 {
            var request = try Results.request()
            request.timeoutMilliseconds = milliseconds
            one.add(try Results.failed("DEADLINE"), of: request)
        }
        #expect(one.lines.count == 1)
        #expect(one.lines[0].contains("1ms, 2ms, 3ms and 47 more"))
    }

    @Test("ends with a summary, and a table if there are many targets")
    func summary() throws {
        var tally = CheckTally(total: 12)
        for _ in 0..<9 { tally.add(Results.connected(), .ok) }
        tally.add(try Results.failed("ECONNREFUSED"), .failed)
        tally.add(try Results.failed("DEADLINE"), .failed)
        tally.add(Results.associated(), .unverified)
        #expect(
            tally.summary(afterNanoseconds: 1_230_000_000, isInterrupted: false)
                == "12 targets in 1.23 s: 9 ok, 2 failed (1 refused, 1 timeout), 1 not verified")
        #expect(
            tally.table() == [
                "OUTCOME     TARGETS", "connected         9", "associated        1", "refused           1",
                "timeout           1",
            ])
        var early = CheckTally(total: 3)
        early.add(Results.connected(), .ok)
        #expect(early.table() == [])
        #expect(early.table(isList: true) == ["OUTCOME    TARGETS", "connected        1"])
        #expect(
            early.summary(afterNanoseconds: 2_000_000_000, isInterrupted: true)
                == "interrupted after 2.00 s, 1 of 3 targets finished: 1 ok, 0 failed, 2 not finished")
    }

    @Test("shows progress: done, rate, outcomes, time left")
    func progress() throws {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var progress = Progress(
            started: start, concurrency: 10, rate: 0, timeoutMilliseconds: 5000, retryPauseMilliseconds: 1100)
        var tally = CheckTally(total: 100)
        #expect(progress.text(tally, at: start) == "0/100 done, 51 s left")
        for _ in 0..<20 { tally.add(Results.connected(), .ok) }
        let later = start.advanced(byMilliseconds: 1000)
        #expect(progress.text(tally, at: later) == "20/100 done, 20/s, 20 connected, 5 s left")
        progress.deferOne()
        #expect(progress.text(tally, at: later).contains("1 timeout to repeat"))
        progress.beginRepetition(round: 1, count: 10)
        #expect(progress.text(tally, at: later).hasSuffix("repeating timeouts: 0 of 10, one per 1.1 s, 12 s left"))
    }

    @Test("counts down to the deadline of a single slow target")
    func slowTarget() {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        let progress = Progress(
            started: start, concurrency: 256, rate: 0, timeoutMilliseconds: 5000, retryPauseMilliseconds: 1100)
        let tally = CheckTally(total: 1)
        #expect(progress.text(tally, at: start.advanced(byMilliseconds: 3500)) == "0/1 done, 2 s left")
    }
}

@Suite("The condition of wait")
struct WaitConditionTests {
    @Test(
        "down is met by faults of target or network, but not by a check that did not run",
        arguments: [
            ("ECONNREFUSED", nil, true), ("DEADLINE", nil, true), ("EHOSTUNREACH", nil, true), ("NXDOMAIN", nil, false),
            ("EMFILE", nil, false), ("DENIED", nil, false), ("CERT_EXPIRED", nil, true),
            ("ECONNREFUSED", .prober, false),
        ] as [(String, Fault?, Bool)])
    func down(name: String, fault: Fault?, isMet: Bool) throws {
        let result = try Results.failed(name, fault: fault)
        #expect(WaitCondition.down.isMet(by: result, of: try Results.request()) == isMet)
    }

    @Test("up needs a success, an outcome needs that outcome")
    func others() throws {
        let request = try Results.request()
        #expect(WaitCondition.up.isMet(by: Results.connected(), of: request))
        #expect(!WaitCondition.down.isMet(by: Results.connected(), of: request))
        #expect(!WaitCondition.up.isMet(by: Results.associated(), of: try Results.request("udp://a:1")))
        #expect(!WaitCondition.down.isMet(by: Results.associated(), of: try Results.request("udp://a:1")))
        var refusing = request
        try WaitCondition(parsing: "refused").apply(to: &refusing)
        #expect(refusing.expectation == .oneOf([.failed(.refused)]))
        #expect(throws: (any Error).self) { try WaitCondition(parsing: "upp") }
    }
}
