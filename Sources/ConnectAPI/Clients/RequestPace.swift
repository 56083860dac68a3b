/// The rate of one client: the generic cell rate algorithm, which needs one number.
///
/// A client may start the checks of one second at once, and then one in each interval. What costs more than it has left
/// is accepted, and the client waits longer after it.
struct RequestPace {
    /// What a caller may use of the burst.
    enum Share {
        case whole
        /// A batch leaves half of the burst to the client's other requests.
        case half
    }

    /// When the client has its whole burst again, in nanoseconds of CLOCK_MONOTONIC.
    private(set) var fullAt: UInt64 = 0

    private static let second: UInt64 = 1_000_000_000

    /// Takes the cost of one or more checks.
    /// - Parameters:
    ///   - cost: checks, at least 1.
    ///   - now: nanoseconds of CLOCK_MONOTONIC.
    ///   - rate: checks per second, at least 1.
    /// - Returns: 0 if it was taken; otherwise the time to wait, in nanoseconds.
    mutating func take(_ cost: Int, at now: UInt64, rate: Int, share: Share = .whole) -> UInt64 {
        let burst = Self.second - Self.interval(at: rate)
        let latest = now + (share == .whole ? burst : burst / 2)
        guard fullAt <= latest else { return fullAt - latest }
        charge(cost, at: now, rate: rate)
        return 0
    }

    /// Takes a cost that has already arisen.
    mutating func charge(_ cost: Int, at now: UInt64, rate: Int) {
        fullAt = max(fullAt, now) + UInt64(cost) * Self.interval(at: rate)
    }

    private static func interval(at rate: Int) -> UInt64 { max(second / UInt64(rate), 1) }
}
