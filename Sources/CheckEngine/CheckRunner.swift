internal import CheckModel
package import DNS
package import SocketIO

/// Runs checks on one worker: from a request and a permit to a result.
///
/// It holds no state of a check: each lives in the local variables of its own task.
package actor CheckRunner {
    private let reactor: Reactor
    private let resolver: Resolver

    package nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    package init(reactor: Reactor, resolver: Resolver) {
        self.reactor = reactor
        self.resolver = resolver
    }

    /// Runs one check by the deadline of its request, which begins now.
    ///
    /// Call it from a task of this worker's thread, with a permit in hand.
    /// - Parameter queueNanoseconds: how long the permit was waited for.
    package func run(
        _ check: PreparedCheck, under surroundings: Surroundings, queueNanoseconds: Int64
    ) async -> CheckAnswer {
        let plan = plan(for: check, under: surroundings)
        let draft = ResultDraft(plan: plan, queueNanoseconds: queueNanoseconds)
        do throws(DenialReason) {
            switch check.request.target.peer {
            case .tcp, .udp:
                try await InternetCheck(plan: plan, resolver: resolver, policy: surroundings.policy).run(into: draft)
            case .unix:
                try await UnixCheck(plan: plan, policy: surroundings.policy).run(into: draft)
            }
            return .result(draft.finished())
        } catch {
            return .denied(reason: error)
        }
    }

    @inline(never)
    private func plan(for check: PreparedCheck, under surroundings: Surroundings) -> AttemptPlan {
        AttemptPlan(
            check, md5Key: check.request.socket.tcpMD5.flatMap { surroundings.md5Keys[$0] }, reactor: reactor,
            start: Clock.now())
    }
}
