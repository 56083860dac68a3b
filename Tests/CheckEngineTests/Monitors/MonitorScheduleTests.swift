@testable import CheckEngine
import NetworkTypes
import Testing

@Suite struct MonitorScheduleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func schedule(_ index: Int, of count: Int, interval: Int = 10_000) -> MonitorSchedule {
        MonitorSchedule(start: start, intervalMilliseconds: interval, index: index, of: count)
    }

    @Test func aFewMonitorsRunTheirFirstRoundAtOnce() {
        #expect(schedule(0, of: 3).due == start)
        #expect(schedule(2, of: 3).due == start.advanced(byMilliseconds: 2))
    }

    @Test func firstRoundsOfTenThousandSpreadOverTheInterval() {
        #expect(schedule(9_999, of: 10_000).due == start.advanced(byMilliseconds: 9_999))
    }

    @Test func laterRoundsAreSpreadEvenly() {
        var counts = [Int](repeating: 0, count: 10)
        for index in 0..<1000 {
            var schedule = schedule(index, of: 1000)
            for _ in 0..<5 { schedule.advance(now: schedule.due) }
            let offset = schedule.due.since(start) % 10_000_000_000
            counts[Int(offset / 1_000_000_000)] += 1
        }
        #expect(counts.allSatisfy { (60...140).contains($0) }, "\(counts)")
    }

    @Test(arguments: [(0, 1), (0, 3), (1, 3), (2, 3), (500, 1000), (999, 1000)])
    func roundsAreOneIntervalApart(_ index: Int, _ count: Int) {
        var schedule = schedule(index, of: count)
        var previous = schedule.due
        for round in 0..<50 {
            schedule.advance(now: schedule.due)
            let gap = schedule.due.since(previous)
            let range: ClosedRange<Int64> =
                round == 0 ? 5_000_000_000...15_500_000_000 : 9_500_000_000...10_500_000_000
            #expect(range.contains(gap), "round \(round): \(gap)")
            previous = schedule.due
        }
    }

    @Test func overdueRoundsAreSkipped() {
        var schedule = schedule(0, of: 1)
        let late = start.advanced(byMilliseconds: 35_000)
        schedule.advance(now: late)
        #expect(schedule.due > late)
        #expect(schedule.due.since(late) <= 10_500_000_000)
    }
}
