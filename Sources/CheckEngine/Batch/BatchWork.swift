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

    /// Whether some checks run elsewhere than in this pool. It does not change.
    var hasRemoteChecks: Bool { get }

    /// Whether this check, which is ready, runs elsewhere.
    func isRemote(_ index: Int) -> Bool

    /// Runs a check elsewhere. It holds a permit and counts as in flight meanwhile. Canceling the task ends it early.
    func runRemote(_ index: Int, _ check: PreparedCheck, on worker: Int) async -> RemoteItemResult

    /// Notes that a check timed out and will be repeated after the others. Its present result becomes final if there is no
    /// time for that. Calls come one at a time; neither this function nor the next may call the batch.
    func willRepeat(_ index: Int, _ check: PreparedCheck, after answer: CheckAnswer)

    /// Notes that the repetition has begun.
    /// - Parameters:
    ///   - round: from 1.
    ///   - count: the checks of this round.
    func willBeginRound(_ round: Int, of count: Int)
}

/// The result of a check that ran elsewhere, until it is known whether the check is repeated.
public struct RemoteItemResult: Sendable {
    /// Whether the check timed out, and may be repeated.
    let isTimeout: Bool
    /// The size of the result, about.
    let byteCount: Int
    /// Makes it the result of the check.
    /// - Parameter worker: the index of the worker on whose thread it is called.
    let finish: @Sendable (_ worker: Int) -> Void

    public init(isTimeout: Bool, byteCount: Int, finish: @escaping @Sendable (_ worker: Int) -> Void) {
        self.isTimeout = isTimeout
        self.byteCount = byteCount
        self.finish = finish
    }
}

extension BatchWork {
    public var hasRemoteChecks: Bool { false }
    public func isRemote(_ index: Int) -> Bool { false }
    public func runRemote(_ index: Int, _ check: PreparedCheck, on worker: Int) async -> RemoteItemResult {
        preconditionFailure("no check is remote")
    }
    public func takeStart() -> MonotonicTime? { nil }
    public func willRepeat(_ index: Int, _ check: PreparedCheck, after answer: CheckAnswer) {}
    public func willBeginRound(_ round: Int, of count: Int) {}
}
