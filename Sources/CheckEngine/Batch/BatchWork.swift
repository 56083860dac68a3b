internal import CheckModel
public import NetworkTypes

/// The checks of one batch, and what becomes of their results. `BatchRun` calls it on the threads of all workers.
///
/// Each check ends exactly once: in `finish`, `cancel`, or in `prepare` if that returns nil.
public protocol BatchWork: AnyObject, Sendable {
    /// Makes a check ready to run. It may be called again for a check that is repeated.
    /// - Returns: nil if there is nothing to run; then the check has its result.
    func prepare(_ index: Int, on worker: Int) -> PreparedCheck?

    /// Takes the answer of a check, which is a result or a denial.
    func finish(_ index: Int, _ check: PreparedCheck, with answer: CheckAnswer, on worker: Int)

    /// Ends a check that was not started, because the service stops.
    func cancel(_ index: Int, on worker: Int)

    /// The number of the last check that may start now: -1 for none, `Int.max` for all. While it is lower than `Int.max`,
    /// the results wait for their reader, and the check of that number is the one whose result must come next.
    var lastStart: Int { get }

    /// Asks whether one more check may start now, and counts it if so.
    /// - Returns: nil if it may; otherwise when to ask again.
    func takeStart() -> MonotonicTime?

    /// Notes that a check timed out and will be repeated after the others. Its present result becomes final if there is no
    /// time for that. Calls come one at a time; neither this function nor the next may call the batch.
    func willRepeat(_ index: Int, _ check: PreparedCheck, after answer: CheckAnswer)

    /// Notes that the repetition has begun.
    /// - Parameters:
    ///   - round: from 1.
    ///   - count: the checks of this round.
    func willBeginRound(_ round: Int, of count: Int)
}

extension BatchWork {
    public func takeStart() -> MonotonicTime? { nil }
    public func willRepeat(_ index: Int, _ check: PreparedCheck, after answer: CheckAnswer) {}
    public func willBeginRound(_ round: Int, of count: Int) {}
}
