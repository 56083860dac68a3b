internal import CheckModel

/// When the rounds of one monitor are due.
///
/// The first comes at once, a thousandth of a second behind that of the monitor before it, so that a pod with three
/// monitors is ready without a wait, and ten thousand begin over their interval. From the second on all monitors of one
/// interval stand evenly spread over it, each round up to a twentieth of the interval late by chance: neither they nor
/// the monitors of other probers keep step.
struct MonitorSchedule {
    private let intervalNanoseconds: Int64
    /// The place of the second round, and of all that follow, an interval apart.
    private var grid: MonotonicTime
    private(set) var due: MonotonicTime

    private static let firstStepNanoseconds: Int64 = 1_000_000

    /// - Parameter index: the monitor's place among `count` monitors.
    init(start: MonotonicTime, intervalMilliseconds: Int, index: Int, of count: Int) {
        intervalNanoseconds = Int64(intervalMilliseconds) * 1_000_000
        let share = intervalNanoseconds / Int64(max(count, 1))
        due = start.advanced(byNanoseconds: Int64(index) * min(share, Self.firstStepNanoseconds))
        let place = start.advanced(byNanoseconds: Int64(index) * share)
        // Half an interval to one and a half lie between the first round and the second.
        grid = place.since(due) < intervalNanoseconds / 2 ? place.advanced(byNanoseconds: intervalNanoseconds) : place
    }

    /// The round that was due has ended: sets the next. A place on the grid that has passed meanwhile is left out.
    mutating func advance(now: MonotonicTime) {
        while grid <= now { grid = grid.advanced(byNanoseconds: intervalNanoseconds) }
        due = grid.advanced(byNanoseconds: Int64.random(in: 0...intervalNanoseconds / 20))
        grid = grid.advanced(byNanoseconds: intervalNanoseconds)
    }
}
