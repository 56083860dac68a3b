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
    private let reactor: Reactor
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
    public func run(
        _ check: PreparedCheck, in context: CheckContext, queueNanoseconds: Int64, until deadline: MonotonicTime? = nil
    ) async -> CheckAnswer {
        let draft = draft(for: check, in: context, queueNanoseconds, until: deadline)
        do throws(DenialReason) {
            switch check.request.target.peer {
            case .tcp, .udp: try await InternetCheck(draft: draft, resolver: resolver).run()
            case .unix: try await UnixCheck(draft: draft, blocking: blocking).run()
            }
            if check.request.trace != nil { return .result(await traced(draft, until: deadline)) }
            return .result(draft.finished())
        } catch {
            return .denied(reason: error)
        }
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
