@testable import DNS
import ErrorCatalogue
import NetworkTypes
import Testing

/// The order and timing of queries to servers.
@Suite struct TryScheduleTests {
    private func asked(_ schedule: inout TrySchedule) -> [Int] {
        var servers: [Int] = []
        while let server = schedule.next() { servers.append(server) }
        return servers
    }

    @Test func serversAreQueriedInTurnForAllRounds() {
        var schedule = TrySchedule(servers: 2, rounds: 2)
        #expect(asked(&schedule) == [0, 1, 0, 1])
        #expect(schedule.isExhausted)
    }

    @Test func theTimeoutPerTryFitsTheDeadlineAndDoublesEachRound() {
        var schedule = TrySchedule(servers: 2, rounds: 3)
        #expect(schedule.patience == 400_000_000)
        let isShorter = schedule.fit(into: 600_000_000)
        #expect(isShorter)
        let isShorterAgain = schedule.fit(into: 900_000_000)
        #expect(!isShorterAgain)
        #expect(schedule.patience == 200_000_000)
        for _ in 0..<3 { _ = schedule.next() }
        #expect(schedule.patience == 400_000_000)
    }

    @Test func aServerThatFailedIsNotQueriedAgain() {
        var schedule = TrySchedule(servers: 3, rounds: 2)
        _ = schedule.next()
        let afterFirst = schedule.failed(0, with: .refused)
        #expect(afterFirst == .askNow)
        _ = (schedule.next(), schedule.next())
        let afterThird = schedule.failed(2, with: .serverFailure)
        #expect(afterThird == .wait)
        #expect(asked(&schedule) == [1])
        #expect(!schedule.isOver)
        #expect(schedule.failure == .serverFailure)
    }

    @Test func aTimeoutTakesPrecedenceOverAClosedPort() {
        var schedule = TrySchedule(servers: 2, rounds: 1)
        _ = schedule.failed(0, with: .unreachable)
        #expect(schedule.failure == .timeout)
        _ = schedule.failed(1, with: .unreachable)
        #expect(schedule.failure == .unreachable)
        #expect(schedule.isOver)
    }

    @Test func anUnexpectedFailureIsRetriedOnce() {
        var schedule = TrySchedule(servers: 1, rounds: 5)
        _ = schedule.next()
        let first = schedule.failed(0, with: .unreachable, isSurprise: true)
        #expect(first == .askSoon && !schedule.isOver)
        #expect(schedule.patience <= 100_000_000)
        let second = schedule.next()
        #expect(second == 0)
        let again = schedule.failed(0, with: .unreachable, isSurprise: true)
        #expect(again == .wait && schedule.isOver && schedule.failure == .unreachable)
    }

    @Test func anUnexpectedFailureInTheLastRoundIsFinal() {
        var schedule = TrySchedule(servers: 1, rounds: 1)
        _ = schedule.next()
        let step = schedule.failed(0, with: .unreachable, isSurprise: true)
        #expect(step == .wait && schedule.isOver)
    }

    @Test func aLocalShortageIsNotReportedAsATimeout() {
        var schedule = TrySchedule(servers: 2, rounds: 1)
        _ = schedule.failed(0, with: .shortage(Errno(24)))
        #expect(schedule.failure == .shortage(Errno(24)))
        _ = schedule.failed(1, with: .serverFailure)
        #expect(schedule.failure == .serverFailure)
    }
}
