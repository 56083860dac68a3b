import Testing

@testable import ConnectAPI

/// The rate of one client, at made-up times.
struct RequestPaceTests {
    private static let start: UInt64 = 1_000_000_000_000
    private static let second: UInt64 = 1_000_000_000

    @Test(arguments: [1, 2, 10, 1000]) func aSecondsWorthStartsAtOnceAndThenOneInEachInterval(rate: Int) {
        var pace = RequestPace()
        for _ in 0..<rate { #expect(pace.take(1, at: Self.start, rate: rate) == 0) }
        let interval = Self.second / UInt64(rate)
        #expect(pace.take(1, at: Self.start, rate: rate) == interval)
        #expect(pace.take(1, at: Self.start + interval, rate: rate) == 0)
        #expect(pace.take(1, at: Self.start + interval, rate: rate) == interval)
    }

    @Test func overALongTimeTheRateHolds() {
        var pace = RequestPace()
        var taken = 0
        for step in 0..<100_000 where pace.take(1, at: Self.start + UInt64(step) * 1_000_000, rate: 7) == 0 {
            taken += 1
        }
        #expect((700...707).contains(taken))
    }

    @Test func aRefusalCostsNothing() {
        var pace = RequestPace()
        #expect(pace.take(1, at: Self.start, rate: 1) == 0)
        for _ in 0..<1000 { #expect(pace.take(1, at: Self.start, rate: 1) == Self.second) }
        #expect(pace.take(1, at: Self.start + Self.second, rate: 1) == 0)
    }

    @Test func whatCostsMoreMakesTheClientWaitLonger() {
        var pace = RequestPace()
        #expect(pace.take(1, at: Self.start, rate: 10) == 0)
        pace.charge(99, at: Self.start, rate: 10)
        #expect(pace.take(1, at: Self.start, rate: 10) == 10 * Self.second - 9 * Self.second / 10)
        #expect(pace.take(1, at: Self.start + 10 * Self.second, rate: 10) == 0)
    }

    @Test func aBatchLeavesHalfOfTheBurst() {
        var pace = RequestPace()
        var taken = 0
        while pace.take(1, at: Self.start, rate: 100, share: .half) == 0 { taken += 1 }
        #expect(taken == 50)
        while pace.take(1, at: Self.start, rate: 100) == 0 { taken += 1 }
        #expect(taken == 100)
    }
}
