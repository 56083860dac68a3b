internal import DequeModule
public import NetworkTypes

/// Decides which check of a batch starts next, and when. It has no clock and does no I/O.
///
/// All checks run once, in their order, within the limits of `BatchOptions`. After the last of them has ended, those that
/// timed out run again, one after another with a pause in between.
public struct BatchSchedule: Sendable {
    /// What the caller must do now.
    public enum Step: Hashable, Sendable {
        /// Start this check.
        case start(Int)
        /// Ask again at this time, or after a check has ended.
        case wait(until: MonotonicTime)
        /// Ask again after a check has ended.
        case waitForEnd
        /// The time for repetition is over: these checks keep their timeout as the result. Ask again at once.
        case giveUp([Int])
        case complete
    }

    private let options: BatchOptions
    private let hosts: [String]
    private var waiting: Deque<Int>
    /// Checks that wait because their host already has `perHost` checks in flight.
    private var held: [String: Deque<Int>] = [:]
    private var inFlightByHost: [String: Int] = [:]
    private var timedOut: [Int] = []
    private var earliestStart: MonotonicTime?
    private var retryDeadline: MonotonicTime?
    /// Checks in flight.
    public private(set) var inFlightCount = 0
    /// The round of repetition: 0 while the checks run for the first time.
    public private(set) var retryRound = 0

    /// - Parameter hosts: the host of each check, in order. Checks with equal strings share the limit `perHost`.
    public init(hosts: [String], options: BatchOptions) {
        self.options = options
        self.hosts = hosts
        waiting = Deque(hosts.indices)
    }

    /// Checks of the current round that have not started yet.
    public var waitingCount: Int { waiting.count + held.values.reduce(0) { $0 + $1.count } }

    /// The next step. A check that it starts counts as in flight from then on.
    public mutating func next(at now: MonotonicTime) -> Step {
        if waiting.isEmpty, held.isEmpty, inFlightCount == 0 {
            guard beginRetries(at: now) else { return .complete }
        }
        if let retryDeadline, now >= retryDeadline, !waiting.isEmpty || !held.isEmpty {
            let left = (Array(waiting) + held.values.joined()).sorted()
            waiting = []
            held = [:]
            return .giveUp(left)
        }
        guard inFlightCount < max(options.concurrency, 1) else { return .waitForEnd }
        if let earliestStart, now < earliestStart, !waiting.isEmpty { return .wait(until: earliestStart) }
        guard let index = takeFirst() else { return .waitForEnd }
        inFlightCount += 1
        inFlightByHost[hosts[index], default: 0] += 1
        earliestStart = pauseNanoseconds.map { now.advanced(byNanoseconds: $0) }
        return .start(index)
    }

    /// Notes that a check has ended.
    /// - Returns: whether its result is final. False means that the check is repeated later.
    public mutating func end(_ index: Int, timedOut isTimeout: Bool) -> Bool {
        let host = hosts[index]
        inFlightCount -= 1
        let left = (inFlightByHost[host] ?? 1) - 1
        inFlightByHost[host] = left == 0 ? nil : left
        if let next = held[host]?.popFirst() {
            if held[host]?.isEmpty == true { held[host] = nil }
            waiting.prepend(next)
        }
        guard isTimeout, retryRound < options.timeoutRetries else { return true }
        timedOut.append(index)
        return false
    }

    private var pauseNanoseconds: Int64? {
        if retryRound > 0 { return Int64(options.retryPauseMilliseconds) * 1_000_000 }
        // Pauses are capped at a day, which fits the clock.
        return options.ratePerSecond > 0 ? Int64(min(1e9 / options.ratePerSecond, 86_400e9)) : nil
    }

    private mutating func beginRetries(at now: MonotonicTime) -> Bool {
        guard !timedOut.isEmpty else { return false }
        retryRound += 1
        waiting = Deque(timedOut.sorted())
        timedOut = []
        earliestStart = now.advanced(byMilliseconds: options.retryPauseMilliseconds)
        if retryDeadline == nil { retryDeadline = now.advanced(byMilliseconds: options.retryLimitMilliseconds) }
        return true
    }

    private mutating func takeFirst() -> Int? {
        while let index = waiting.popFirst() {
            guard options.perHost > 0, inFlightByHost[hosts[index], default: 0] >= options.perHost else { return index }
            held[hosts[index], default: []].append(index)
        }
        return nil
    }
}
