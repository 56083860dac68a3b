import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing

@testable import connectd

@Suite struct PingGridTests {
    private let origin = MonotonicTime(nanoseconds: 1_000_000_000)

    private func at(_ milliseconds: Int) -> MonotonicTime { origin.advanced(byMilliseconds: milliseconds) }

    @Test func startsDoNotDrift() {
        var grid = PingGrid(origin: origin, interval: Duration(milliseconds: 100))
        #expect(grid.takeStart(at: at(0)) == true)
        #expect(grid.takeStart(at: at(99)) == false)
        // Each start is a little late, but the grid stays.
        for round in 1...1000 {
            #expect(grid.next == at(round * 100))
            #expect(grid.takeStart(at: at(round * 100 + 3)) == true)
        }
    }

    @Test func aLateStartIsLeftOut() {
        var grid = PingGrid(origin: origin, interval: Duration(milliseconds: 100))
        #expect(grid.takeStart(at: at(0)) == true)
        #expect(grid.takeStart(at: at(360)) == false)
        #expect(grid.next == at(400))
        #expect(grid.takeStart(at: at(399)) == false)
        #expect(grid.takeStart(at: at(400)) == true)
    }
}

@Suite struct PingTextTests {
    private let target = Target(peer: .tcp(.name("db.internal"), port: 5432), text: "db.internal:5432")

    private func round(_ number: Int, _ result: CheckResult, milliseconds: Int = 1) -> PingRound {
        let start = MonotonicTime(nanoseconds: 1_000_000_000).advanced(byMilliseconds: number * 1000)
        return PingRound(
            number: number, result: result, start: start, end: start.advanced(byMilliseconds: milliseconds))
    }

    private func summary(_ results: [CheckResult], of request: CheckRequest? = nil) -> [String] {
        let request = request ?? CheckRequest(target: target)
        var tally = PingTally()
        for (index, result) in results.enumerated() {
            tally.add(round(index + 1, result), CheckVerdict(result, of: request))
        }
        return PingText(request: request, palette: .plain).summary(tally, afterNanoseconds: 19_012_000_000)
    }

    @Test func theSummaryWithoutARound() {
        #expect(
            summary([]) == [
                "--- db.internal:5432 ---", "0 attempts, 0 connected, 0% failed, 0 SYNs sent, time 19012 ms",
                "rtt min/median/avg/p95/max/mdev = -/-/-/-/-/- ms",
            ])
    }

    @Test func theSummaryAtTotalLoss() throws {
        let lines = summary(Array(repeating: try Results.failed("DEADLINE"), count: 3))
        #expect(lines[1].hasPrefix("3 attempts, 0 connected, 100% failed (3 timeout), "))
        #expect(lines[2] == "rtt min/median/avg/p95/max/mdev = -/-/-/-/-/- ms")
        #expect(lines.contains { $0.hasPrefix("longest outage 2.0") })
    }

    @Test func theSummaryOfMixedRounds() throws {
        let results = Array(repeating: Results.connected(), count: 19) + [try Results.failed("DEADLINE")]
        #expect(summary(results)[1].hasPrefix("20 attempts, 19 connected, 5% failed (1 timeout), "))
        var request = CheckRequest(target: target)
        request.expectation = .oneOf([.failed(.refused)])
        #expect(summary([], of: request)[1].hasPrefix("0 attempts, 0 refused, 0% failed"))
    }

    @Test func withoutAnAnswerUDPIsNotVerified() {
        let request = CheckRequest(
            target: Target(peer: .udp(.name("dns.internal"), port: 53), text: "udp://dns.internal:53"))
        let lines = summary([Results.associated(), Results.associated()], of: request)
        #expect(
            lines == [
                "--- udp://dns.internal:53 ---", "2 attempts, 2 associated (not verified), 0% failed, time 19012 ms",
            ])
        let line = PingText(request: request, palette: .plain).line(for: round(1, Results.associated()))
        #expect(line.contains("  associated (not verified)"))
    }

    @Test func roundsCountInTheOrderOfTheirStart() throws {
        let request = CheckRequest(target: target)
        var tally = PingTally()
        let (good, bad) = (Results.connected(), try Results.failed("DEADLINE"))
        // The second round is slow: it ends after the third and fourth ones.
        for (number, result) in [(1, good), (3, bad), (4, good)] {
            tally.add(round(number, result), CheckVerdict(result, of: request))
        }
        #expect(tally.statistics.sent == 3)
        #expect(tally.statistics.longestOutage == 1_000_000_000)
        tally.add(round(2, bad, milliseconds: 5000), CheckVerdict(bad, of: request))
        #expect(tally.statistics.sent == 4)
        #expect(tally.statistics.longestOutage == 2_000_000_000)
    }

    @Test(
        arguments: [
            (0, "0.000"), (312_400, "0.312"), (999_499, "0.999"), (999_500, "1.00"), (1_314_000, "1.31"),
            (9_994_999, "9.99"),
            (9_995_000, "10.0"), (13_140_000, "13.1"), (99_949_999, "99.9"), (99_950_000, "100"),
            (1_031_204_000, "1031"),
            (-5, "0.000"),
        ] as [(Int64, String)])
    func timesHaveThreeDigits(nanoseconds: Int64, text: String) {
        #expect(MillisecondText.short(nanoseconds) == text)
    }

    @Test func exactTimesHaveThreeDecimals() {
        #expect(MillisecondText.exact(1_031_204_499) == "1031.204")
        #expect(MillisecondText.exact(7_000) == "0.007")
    }

    @Test func sharesAreNeverRoundedToNothingOrAll() {
        #expect(PercentText.whole(0) == "0%")
        #expect(PercentText.whole(1, of: 1000) == "<1%")
        #expect(PercentText.whole(2.0 / 22) == "9%")
        #expect(PercentText.whole(999, of: 1000) == ">99%")
        #expect(PercentText.whole(1) == "100%")
        #expect(PercentText.whole(0, of: 0) == "0%")
    }
}

@Suite struct PingArgumentTests {
    @Test(arguments: [
        ("1", 1000), ("0.2", 200), ("0.0005", 1), ("200ms", 200), ("2s", 2000), (".5", 500), ("60", 60_000),
    ])
    func timesAreSecondsOrHaveAUnit(text: String, milliseconds: Int) throws {
        #expect(try Duration(parsingSeconds: text, in: 1...60_000).milliseconds == milliseconds)
    }

    @Test(arguments: ["", "0", "-1", "1e3", "nan", "inf", "61", "1..2", "0x10", "1 ", "99999999999999999", ".", "1h"])
    func otherTextsAreNotTimes(text: String) {
        #expect(throws: (any Error).self) { try Duration(parsingSeconds: text, in: 1...60_000) }
    }

    @Test func thePortBelongsToTheTarget() throws {
        let error = #expect(throws: (any Error).self) { try PingTarget.source(["db.internal", "443"]) }
        #expect("\(try #require(error))".contains("as in db.internal:443"))
        #expect(throws: (any Error).self) { try PingTarget.source([]) }
        #expect(throws: (any Error).self) { try PingTarget.source(["a:1", "b:2", "c:3"]) }
        #expect(try PingTarget.source(["a:1"]).text == "a:1")
    }
}
