import AccessPolicy
internal import CheckModel
public import DNS
internal import NetworkTypes
public import SocketIO
import TLS

/// Runs checks on one worker: from a request and a permit to a result.
///
/// It holds no state of a check: each lives in the local variables of its own task. No actor, since a check runs on
/// whatever actor asks for it: they share the worker's thread, and to change between them would be paid for nothing.
public final class CheckRunner: Sendable {
    private let reactor: Reactor
    private let resolver: Resolver
    private let contexts: TLSContexts
    private let admission: Admission
    private let blocking: BlockingThreads

    /// - Parameters:
    ///   - admission: the one that gave the permits of its checks.
    ///   - blocking: where paths are opened.
    public init(reactor: Reactor, resolver: Resolver, admission: Admission, blocking: BlockingThreads) {
        self.admission = admission
        self.blocking = blocking
        contexts = TLSContexts(reactor: reactor)
        self.reactor = reactor
        self.resolver = resolver
    }

    /// Runs one check by the deadline of its request, which begins now.
    ///
    /// Call it from a task that prefers this worker's thread, with a permit in hand; it traps on any other thread.
    /// - Parameter queueNanoseconds: how long the permit was waited for.
    public func run(
        _ check: PreparedCheck, under surroundings: Surroundings, queueNanoseconds: Int64
    ) async -> CheckAnswer {
        let draft = draft(for: check, under: surroundings, queueNanoseconds)
        do throws(DenialReason) {
            switch check.request.target.peer {
            case .tcp, .udp: try await InternetCheck(draft: draft, resolver: resolver).run()
            case .unix: try await UnixCheck(draft: draft, blocking: blocking).run()
            }
            return .result(draft.finished())
        } catch {
            return .denied(reason: error)
        }
    }

    @inline(never)
    private func draft(
        for check: PreparedCheck, under surroundings: Surroundings, _ queueNanoseconds: Int64
    ) -> ResultDraft {
        let plan = AttemptPlan(
            check, under: surroundings, reactor: reactor, contexts: contexts, admission: admission, start: Clock.now())
        return ResultDraft(plan: plan, queueNanoseconds: queueNanoseconds)
    }
}
