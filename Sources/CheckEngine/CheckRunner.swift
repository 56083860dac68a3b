package import CheckModel
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
    /// - Parameters:
    ///   - dialog: the request's dialog, compiled; nil where it has none.
    ///   - queueNanoseconds: how long the permit was waited for.
    package func run(
        _ request: CheckRequest, dialog: Dialog?, under surroundings: Surroundings, queueNanoseconds: Int64
    ) async -> CheckAnswer {
        let start = Clock.now()
        let plan = AttemptPlan(
            request: request, dialog: dialog,
            md5Key: request.socket.tcpMD5.flatMap { surroundings.md5Keys[$0] },
            reactor: reactor, start: start)
        var draft = ResultDraft(plan: plan, queueNanoseconds: queueNanoseconds)
        let deadline = start.advanced(byMilliseconds: request.timeoutMilliseconds)
        do throws(DenialReason) {
            switch request.target.peer {
            case .tcp(let host, let port), .udp(let host, let port):
                let check = InternetCheck(
                    plan: plan, resolver: resolver, policy: surroundings.policy, deadline: deadline)
                try await check.run(host: host, port: port, into: &draft)
            case .unix(_, let address):
                let check = UnixCheck(plan: plan, policy: surroundings.policy, deadline: deadline)
                try await check.run(address, into: &draft)
            }
            return .result(draft.finished())
        } catch {
            return .denied(reason: error)
        }
    }
}
