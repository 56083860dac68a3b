@testable import CheckEngine
import NetworkTypes
import Testing

@Suite("The schedule of a batch")
struct BatchScheduleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func time(_ milliseconds: Int) -> MonotonicTime { start.advanced(byMilliseconds: milliseconds) }

    private func schedule(
        _ hosts: [String], concurrency: Int = 100, _ change: (inout BatchOptions) -> Void = { _ in }
    ) -> BatchSchedule {
        var options = BatchOptions(concurrency: concurrency)
        change(&options)
        return BatchSchedule(hosts: hosts, options: options)
    }

    @Test("starts checks in order, up to the concurrency limit")
    func concurrency() {
        var schedule = schedule(["a", "b", "c"], concurrency: 2)
        #expect([schedule.next(at: start), schedule.next(at: start)] == [.start(0), .start(1)])
        #expect(schedule.next(at: start) == .waitForEnd)
        #expect(schedule.end(1, timedOut: false) == true)
        #expect(schedule.next(at: start) == .start(2))
        #expect([schedule.end(0, timedOut: true), schedule.end(2, timedOut: false)] == [true, true])
        #expect(schedule.next(at: start) == .complete && schedule.inFlightCount == 0)
    }

    @Test("limits the checks per host, and starts others in the meantime")
    func perHost() {
        var schedule = schedule(["a", "a", "a", "b", "a"]) { $0.perHost = 1 }
        #expect([schedule.next(at: start), schedule.next(at: start)] == [.start(0), .start(3)])
        #expect(schedule.next(at: start) == .waitForEnd)
        #expect(schedule.waitingCount == 3)
        _ = schedule.end(3, timedOut: false)
        #expect(schedule.next(at: start) == .waitForEnd)
        for (ended, next) in [(0, 1), (1, 2), (2, 4)] {
            _ = schedule.end(ended, timedOut: false)
            #expect(schedule.next(at: start) == .start(next))
            #expect(schedule.next(at: start) == .waitForEnd)
        }
        _ = schedule.end(4, timedOut: false)
        #expect(schedule.next(at: start) == .complete)
    }

    @Test("limits the starts per second")
    func rate() {
        var schedule = schedule(["a", "b"]) { $0.ratePerSecond = 4 }
        #expect(schedule.next(at: start) == .start(0))
        #expect(schedule.next(at: time(100)) == .wait(until: time(250)))
        #expect(schedule.next(at: time(250)) == .start(1))
    }

    @Test("repeats timeouts after the other checks, one at a time with a pause")
    func repetition() {
        var schedule = schedule(["r", "r", "r", "r"]) { $0.timeoutRetries = 1 }
        for index in 0..<4 { #expect(schedule.next(at: start) == .start(index)) }
        #expect([schedule.end(2, timedOut: true), schedule.end(0, timedOut: true)] == [false, false])
        #expect(schedule.end(1, timedOut: false) == true)
        #expect(schedule.next(at: time(500)) == .waitForEnd, "the rest has not ended")
        #expect(schedule.end(3, timedOut: false) == true)
        #expect(schedule.next(at: time(1000)) == .wait(until: time(2100)))
        #expect(schedule.retryRound == 1 && schedule.waitingCount == 2)
        #expect(schedule.next(at: time(2100)) == .start(0))
        #expect(schedule.next(at: time(2200)) == .wait(until: time(3200)))
        #expect(schedule.next(at: time(3200)) == .start(2), "the pause is between starts")
        #expect(
            [schedule.end(0, timedOut: true), schedule.end(2, timedOut: true)] == [true, true], "a single repetition")
        #expect(schedule.next(at: time(9000)) == .complete)
    }

    @Test("repeats up to the configured number of times")
    func rounds() {
        var schedule = schedule(["r"]) { $0.timeoutRetries = 3 }
        var starts = 0
        var now = 0
        while true {
            switch schedule.next(at: time(now)) {
            case .start(let index):
                starts += 1
                #expect(schedule.end(index, timedOut: true) == (starts == 4))
            case .wait, .waitForEnd: now += 100
            case .giveUp: Issue.record("gave up")
            case .complete:
                #expect(starts == 4)
                return
            }
        }
    }

    @Test("ends the repetition at its time limit")
    func limit() {
        var schedule = schedule(["r", "r", "r"]) {
            $0.timeoutRetries = 1
            $0.retryLimitMilliseconds = 1500
        }
        for index in 0..<3 {
            _ = schedule.next(at: start)
            _ = schedule.end(index, timedOut: true)
        }
        #expect(schedule.next(at: start) == .wait(until: time(1100)))
        #expect(schedule.next(at: time(1100)) == .start(0))
        #expect(schedule.next(at: time(1500)) == .giveUp([1, 2]))
        #expect(schedule.next(at: time(1500)) == .waitForEnd)
        _ = schedule.end(0, timedOut: true)
        #expect(schedule.next(at: time(1600)) == .complete)
    }

    @Test("is complete at once without checks")
    func nothing() {
        var schedule = schedule([])
        #expect(schedule.next(at: start) == .complete)
    }
}
