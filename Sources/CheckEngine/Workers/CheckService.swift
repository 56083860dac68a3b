public import CheckModel
public import NetworkTypes
internal import SocketIO

/// Runs checks, within limits that the implementation sets.
///
/// Code that uses its service by its concrete or generic type calls it without dynamic dispatch.
public protocol CheckService: Sendable {
    /// Takes a permit, runs the check, and returns the permit. Canceling the task cancels the check.
    /// - Parameter deadline: when the answer must be available, including the wait for the permit. With nil, the
    /// request's own timeout applies, which begins after that wait.
    func run(_ check: PreparedCheck, in context: CheckContext, until deadline: MonotonicTime?) async -> CheckAnswer
}

extension CheckAnswer {
    /// The result of a check that ran, or that the policy denied; nil if the check did not start.
    public func result(of check: PreparedCheck) -> CheckResult? {
        switch self {
        case .result(let result): result
        case .denied: .denied(check.request, startedAtNanoseconds: Clock.wallNanoseconds())
        case .overloaded, .cancelled: nil
        }
    }
}

/// The checks of this process: they share the permits of one pool of workers.
public struct LocalCheckService: CheckService {
    private let pool: WorkerPool
    private let index: Int
    private let isBalanced: Bool

    /// A service for callers on the thread of one worker.
    /// - Parameters:
    ///   - index: the worker, by its index in the pool.
    ///   - isBalanced: whether an idle worker may run a check instead, as `WorkerPool.worker(for:)` decides.
    public init(_ pool: WorkerPool, worker index: Int, isBalanced: Bool) {
        self.pool = pool
        self.index = index
        self.isBalanced = isBalanced
    }

    public func run(
        _ check: PreparedCheck, in context: CheckContext, until deadline: MonotonicTime?
    ) async -> CheckAnswer {
        let worker = isBalanced ? pool.worker(for: index) : pool.workers[index]
        worker.batchTurns.noteSingleCheck(inTurn: worker.reactor.turnCount)
        return worker.reactor.thread.index == index
            ? await Self.run(check, by: worker, admission: pool.admission, in: context, until: deadline)
            : await Self.transfer(check, to: worker, admission: pool.admission, in: context, until: deadline)
    }

    /// Traces the path to a target, without a check: takes a permit, and returns it.
    public func trace(
        _ check: PreparedCheck, in context: CheckContext, report: @escaping @Sendable (TraceEvent) -> Void
    ) async -> TraceAnswer {
        switch await pool.admission.acquire() {
        case .full: return .notStarted
        case .cancelled: return .notStarted
        case .admitted(let permit):
            let answer = await pool.workers[index].runner.trace(check, in: context, report: report)
            _ = consume permit
            return answer
        }
    }

    /// Runs the check on the caller's own thread.
    private static func run(
        _ check: PreparedCheck, by worker: Worker, admission: Admission, in context: CheckContext,
        until deadline: MonotonicTime?
    ) async -> CheckAnswer {
        if let permit = admission.acquireAtOnce() {
            return await run(
                check, by: worker, holding: permit, queueNanoseconds: 0, in: context, until: deadline)
        }
        return await queue(check, by: worker, admission: admission, in: context, until: deadline)
    }

    /// Waits for the permit first. Not inlined: few checks wait, and the frame of every check would grow by this one's.
    @inline(never)
    private static func queue(
        _ check: PreparedCheck, by worker: Worker, admission: Admission, in context: CheckContext,
        until deadline: MonotonicTime?
    ) async -> CheckAnswer {
        let begin = Clock.now()
        switch await admission.acquire() {
        case .full: return .overloaded
        case .cancelled: return .cancelled
        case .admitted(let permit):
            let now = Clock.now()
            if let deadline, deadline <= now { return .cancelled }
            return await run(
                check, by: worker, holding: permit, queueNanoseconds: now.since(begin), in: context, until: deadline)
        }
    }

    private static func run(
        _ check: PreparedCheck, by worker: Worker, holding permit: consuming Permit, queueNanoseconds: Int64,
        in context: CheckContext, until deadline: MonotonicTime?
    ) async -> CheckAnswer {
        let answer = await worker.runner.run(
            check, in: context, queueNanoseconds: queueNanoseconds, until: deadline, mayRefuse: true)
        _ = consume permit
        return answer
    }

    /// Runs the check on another worker's thread. That needs a task of its own: a task resumes on the thread that it
    /// prefers.
    @inline(never)
    private static func transfer(
        _ check: PreparedCheck, to worker: Worker, admission: Admission, in context: CheckContext,
        until deadline: MonotonicTime?
    ) async -> CheckAnswer {
        let task = Task(executorPreference: worker.reactor.thread) {
            await run(check, by: worker, admission: admission, in: context, until: deadline)
        }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
