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
    /// Checks that never started, except those in `waiting` and `held`.
    private var unstarted: Range<Int>
    /// Checks that start before `unstarted`.
    private var waiting: Deque<Int> = []
    /// Checks that wait because their host already has `perHost` checks in flight.
    private var held: [String: Deque<Int>] = [:]
    private var heldCount = 0
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
        self.init(count: hosts.count, hosts: hosts, options: options)
    }

    /// - Parameter hosts: as above; not used without a limit `perHost`, and may then be empty.
    init(count: Int, hosts: [String], options: BatchOptions) {
        self.options = options
        self.hosts = hosts
        unstarted = 0..<count
    }

    /// Checks of the current round that have not started yet.
    public var waitingCount: Int { waiting.count + heldCount + unstarted.count }

    /// The next step. A check that it starts counts as in flight from then on.
    public mutating func next(at now: MonotonicTime) -> Step {
        if let step = stepBeforeStart(at: now) { return step }
        return start(at: now).map(Step.start) ?? .waitForEnd
    }

    /// What to do before the next check can start; nil if one may be ready.
    /// - Parameter last: the last check that may start. If this one waits for its repetition, that is given up: its result is
    ///   needed next.
    mutating func stepBeforeStart(at now: MonotonicTime, upTo last: Int = .max) -> Step? {
        if waitingCount == 0, inFlightCount == 0 {
            guard beginRetries(at: now) else { return .complete }
        }
        if let retryDeadline, now >= retryDeadline, waitingCount > 0 { return .giveUp(withdraw()) }
        if last != .max, let place = timedOut.firstIndex(of: last) { return .giveUp([timedOut.remove(at: place)]) }
        if inFlightCount >= max(options.concurrency, 1) || waitingCount == heldCount { return .waitForEnd }
        if let earliestStart, now < earliestStart { return .wait(until: earliestStart) }
        return nil
    }

    /// Starts the next check, up to `last`. It counts as in flight from here on.
    /// - Returns: nil if none may start now.
    mutating func start(at now: MonotonicTime, upTo last: Int = .max) -> Int? {
        guard inFlightCount < max(options.concurrency, 1), earliestStart.map({ now >= $0 }) ?? true,
            retryDeadline.map({ now < $0 }) ?? true, let index = takeFirst(upTo: last)
        else { return nil }
        inFlightCount += 1
        if options.perHost > 0 { inFlightByHost[hosts[index], default: 0] += 1 }
        earliestStart = pauseNanoseconds.map { now.advanced(byNanoseconds: $0) }
        return index
    }

    /// Removes all checks of the present round that have not started.
    /// - Returns: their numbers in order.
    mutating func withdraw() -> [Int] {
        let left = (Array(waiting) + held.values.joined() + unstarted).sorted()
        waiting = []
        held = [:]
        heldCount = 0
        unstarted = unstarted.upperBound..<unstarted.upperBound
        return left
    }

    /// The same, with the checks that wait for their repetition.
    mutating func withdrawAll() -> [Int] {
        defer { timedOut = [] }
        return (withdraw() + timedOut).sorted()
    }

    /// Notes that a check has ended.
    /// - Returns: whether its result is final. False means that the check is repeated later.
    public mutating func end(_ index: Int, timedOut isTimeout: Bool) -> Bool {
        inFlightCount -= 1
        if options.perHost > 0 { releaseHost(hosts[index]) }
        guard isTimeout, retryRound < options.timeoutRetries else { return true }
        timedOut.append(index)
        return false
    }

    private mutating func releaseHost(_ host: String) {
        let left = (inFlightByHost[host] ?? 1) - 1
        inFlightByHost[host] = left == 0 ? nil : left
        guard let next = held[host]?.popFirst() else { return }
        if held[host]?.isEmpty == true { held[host] = nil }
        heldCount -= 1
        waiting.prepend(next)
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

    private mutating func takeFirst(upTo last: Int) -> Int? {
        while let index = popWaiting(upTo: last) {
            guard options.perHost > 0, inFlightByHost[hosts[index], default: 0] >= options.perHost else { return index }
            held[hosts[index], default: []].append(index)
            heldCount += 1
        }
        return nil
    }

    private mutating func popWaiting(upTo last: Int) -> Int? {
        if let place = waiting.firstIndex(where: { $0 <= last }) { return waiting.remove(at: place) }
        guard let first = unstarted.first, first <= last else { return nil }
        return unstarted.popFirst()
    }
}
