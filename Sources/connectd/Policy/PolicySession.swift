import AccessPolicy
import CheckEngine
import DNS
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// A target and what a policy decides about it.
struct JudgedTarget: Sendable {
    enum State: String {
        case allowed, denied
        /// Its name has no address, so the policy could not judge any.
        case unresolved
    }

    let target: Target
    let judgment: Result<TargetJudgment, ResolveFailure>
    /// Whether the profile answers a name without addresses like a denied one.
    let hidesNames: Bool

    var state: State {
        switch judgment {
        case .success(let judgment): judgment.isAllowed ? .allowed : .denied
        case .failure: hidesNames ? .denied : .unresolved
        }
    }
}

/// Judges targets on one worker, without a service.
struct PolicySession {
    let policy: Policy

    func judge(_ targets: [Target], within timeoutMilliseconds: Int) throws -> [JudgedTarget] {
        guard !targets.isEmpty else { return [] }
        let pool = try WorkerPool(count: 1, admission: Admission(limit: 1, queueLimit: 0))
        let answers = try BlockingQueue<JudgedTarget>()
        let interrupts = Interrupts()
        let threads = try pool.start()
        let worker = pool.workers[0]
        let judge = TargetJudge(policy: policy, worker: worker)
        let hidesNames = policy.profile == .public
        let task = Task(executorPreference: worker.reactor.thread) {
            for target in targets {
                let deadline = Clock.now().advanced(byMilliseconds: timeoutMilliseconds)
                let judgment: Result<TargetJudgment, ResolveFailure>
                do throws(ResolveFailure) {
                    judgment = .success(try await judge.judge(target, until: deadline))
                } catch {
                    judgment = .failure(error)
                }
                answers.append(JudgedTarget(target: target, judgment: judgment, hidesNames: hidesNames))
            }
        }
        defer { task.cancel() }
        var judged: [JudgedTarget] = []
        while judged.count < targets.count {
            switch answers.next(until: nil, or: interrupts) {
            case .element(let answer): judged.append(answer)
            case .signal(let number): endProcess(128 + number)
            case .deadline: break
            }
        }
        threads.stopAndJoin()
        return judged
    }
}
