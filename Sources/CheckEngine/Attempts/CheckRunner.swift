public import AccessPolicy
public import CheckModel
public import DNS
public import NetworkTypes
public import SocketIO
internal import TLS

/// Runs checks on one worker, each with a permit.
///
/// It holds no state of a check; that is in the local variables of the check's task. It is not an actor, because a check
/// runs on the caller's actor. All of them share the worker's thread, and a hop between actors would cost time.
public final class CheckRunner: Sendable {
    let reactor: Reactor
    private let resolver: Resolver
    private let contexts: TLSContexts
    private let admission: Admission
    private let blocking: BlockingThreads

    /// - Parameters:
    ///   - admission: what issued the permits of its checks.
    ///   - blocking: the threads that open paths.
    public init(reactor: Reactor, resolver: Resolver, admission: Admission, blocking: BlockingThreads) {
        self.admission = admission
        self.blocking = blocking
        contexts = TLSContexts(reactor: reactor)
        self.reactor = reactor
        self.resolver = resolver
    }

    /// Runs one check. The timeout of its request begins now.
    ///
    /// Call it with a permit, from a task that prefers this worker's thread; it traps on any other thread.
    /// - Parameters:
    ///   - queueNanoseconds: how long the check waited for its permit.
    ///   - deadline: when the check must have ended, if that is before its timeout.
    ///   - mayRefuse: whether the answer is `overloaded` if too many checks wait for memory.
    public func run(
        _ check: PreparedCheck, in context: CheckContext, queueNanoseconds: Int64, until deadline: MonotonicTime? = nil,
        mayRefuse: Bool = false
    ) async -> CheckAnswer {
        let bytes = check.bytesAtStart
        if bytes > 0 {
            return await runWithMemory(
                bytes, check, in: context, queueNanoseconds: queueNanoseconds, until: deadline, mayRefuse: mayRefuse)
        }
        if check.request.count > 1 {
            return await runRounds(check, in: context, queueNanoseconds: queueNanoseconds, until: deadline)
        }
        return await runOnce(check, in: context, queueNanoseconds: queueNanoseconds, until: deadline)
    }

    /// Waits for the check's memory first. The wait counts as a wait in the queue.
    ///
    /// Not inlined: the frame of every check would grow by this one's.
    @inline(never)
    private func runWithMemory(
        _ bytes: Int, _ check: PreparedCheck, in context: CheckContext, queueNanoseconds: Int64,
        until deadline: MonotonicTime?, mayRefuse: Bool
    ) async -> CheckAnswer {
        let begin = Clock.now()
        if mayRefuse, admission.memory.isFull(for: bytes, queueLimit: admission.queueLimit) {
            admission.memory.noteRefusal()
            return .overloaded
        }
        guard let lease = await admission.memory.lease(bytes, on: reactor, until: deadline ?? .distantFuture) else {
            return .cancelled
        }
        defer { withExtendedLifetime(lease) {} }
        let waited = queueNanoseconds + Clock.now().since(begin)
        if check.request.count > 1 {
            return await runRounds(check, in: context, queueNanoseconds: waited, until: deadline)
        }
        return await runOnce(check, in: context, queueNanoseconds: waited, until: deadline)
    }

    /// Runs one round.
    ///
    /// - Parameter mayTrace: whether a trace may follow.
    ///
    /// Inlined into `run`: a frame of its own would exist as long as the check.
    @inline(__always)
    func runOnce(
        _ check: PreparedCheck, in context: CheckContext, queueNanoseconds: Int64, until deadline: MonotonicTime?,
        mayTrace: Bool = true
    ) async -> CheckAnswer {
        let draft = draft(for: check, in: context, queueNanoseconds, until: deadline)
        do throws(DenialReason) {
            switch check.request.target.peer {
            case .tcp, .udp: try await InternetCheck(draft: draft, resolver: resolver).run()
            case .unix: try await UnixCheck(draft: draft, blocking: blocking).run()
            }
            if mayTrace, check.request.trace != nil { return .result(await traced(draft, until: deadline)) }
            return .result(draft.finished())
        } catch {
            return .denied(reason: error)
        }
    }

    /// Prepares a check that needs no task. It takes its time from now on, as in `run`.
    /// - Returns: nil for a check that `run` has to run: one of a name or a path, or with later phases.
    func direct(
        _ check: PreparedCheck, number: Int, in context: CheckContext, for owner: any DirectCheck.Owner
    ) -> DirectCheck? {
        guard check.waitsOnce else { return nil }
        let draft = draft(for: check, in: context, 0, until: nil)
        return DirectCheck(
            check, number: number, draft: draft, internet: InternetCheck(draft: draft, resolver: resolver), owner: owner
        )
    }

    /// The finished result, with a trace to the address that decided it, if the request asks for one after this result.
    @inline(never)
    private func traced(_ draft: ResultDraft, until deadline: MonotonicTime?) async -> CheckResult {
        let result = draft.finished()
        guard let options = draft.plan.request.trace, options.applies(toCheckThatIsOK: result.ok),
            let endpoint = draft.endpointToTrace
        else { return result }
        return result.with(await Trace(draft.plan, to: endpoint, options, until: deadline).run())
    }

    /// Traces the path to the first address of a target that the policy allows, without a check.
    ///
    /// Call it as `run`. The timeout of the request is for resolving the name.
    /// - Parameters:
    ///   - check: of an internet target, with options for the trace.
    ///   - report: called on this worker's thread while the trace runs.
    public func trace(
        _ check: PreparedCheck, in context: CheckContext, report: @escaping @Sendable (TraceEvent) -> Void
    ) async -> TraceAnswer {
        let draft = draft(for: check, in: context, 0, until: nil)
        do throws(DenialReason) {
            let endpoints = try await InternetCheck(draft: draft, resolver: resolver).resolveAddresses()
            guard case .ip(let endpoint)? = endpoints?.first else { return .unresolved(draft.finished()) }
            report(.started(endpoint))
            let options = check.request.trace ?? TraceOptions()
            return .traced(await Trace(draft.plan, to: endpoint, options, report: report).run(), to: endpoint)
        } catch {
            return .denied(reason: error)
        }
    }

    @inline(never)
    private func draft(
        for check: PreparedCheck, in context: CheckContext, _ queueNanoseconds: Int64, until deadline: MonotonicTime?
    ) -> ResultDraft {
        let plan = AttemptPlan(
            check, in: context, reactor: reactor, contexts: contexts, admission: admission, start: Clock.now(),
            until: deadline)
        return ResultDraft(plan: plan, queueNanoseconds: queueNanoseconds)
    }
}

extension PreparedCheck {
    /// Whether the check waits once at most: for its connection.
    ///
    /// A member of a request that makes a check wait for more, or run more than once, must be excluded here.
    fileprivate var waitsOnce: Bool {
        switch request.target.peer {
        case .tcp(.address, _), .udp(.address, _):
            request.tls == nil && !request.target.impliesTLS && dialog == nil && !request.socket.tcpFastOpen
                && request.preset == nil && request.trace == nil && request.count == 1
                && request.holdMilliseconds == 0 && !request.isHalfOpen
        case .tcp(.name, _), .udp(.name, _), .unix: false
        }
    }
}

/// What became of a trace.
public enum TraceAnswer: Sendable {
    case traced(TraceReport, to: IPEndpoint)
    /// No address was found: a result without attempts, which says why.
    case unresolved(CheckResult)
    /// The policy allows no address of the target.
    case denied(reason: DenialReason)
    /// The task was cancelled, or the queue is full, before the trace had its permit.
    case notStarted
}
