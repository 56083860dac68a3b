internal import AccessPolicy
internal import CheckModel
public import Diagnosis
internal import DNS
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// What a diagnosis is asked to do.
public struct DiagnosisRequest: Sendable {
    /// The check to diagnose. Its own timeout does not apply.
    public let check: PreparedCheck
    /// A target that should work from here.
    public let control: PreparedCheck?
    /// For the whole diagnosis, without its waits for permits at the start.
    public let timeoutMilliseconds: Int
    /// Whether a UDP target may be asked the question of a preset.
    public let mayAskPresets: Bool

    public init(check: PreparedCheck, control: PreparedCheck?, timeoutMilliseconds: Int, mayAskPresets: Bool = true) {
        self.check = check
        self.control = control
        self.timeoutMilliseconds = timeoutMilliseconds
        self.mayAskPresets = mayAskPresets
    }
}

/// The outcome of a diagnosis.
public enum DiagnosisAnswer: Sendable {
    case finished(DiagnosisRecord, DiagnosisReport)
    /// The first check did not run.
    case notRun(CheckAnswer)
}

/// Runs one diagnosis: the check, the experiments that its result asks for, and the conclusion.
///
/// Every experiment is a check of the service: it has a permit of its own, and the policy judges its addresses.
public struct DiagnosisRun: Sendable {
    private let service: LocalCheckService
    private let pool: WorkerPool
    private let worker: Int
    private let context: CheckContext

    /// - Parameter worker: the worker on whose thread `run` is called, by its index in the pool.
    public init(_ pool: WorkerPool, worker: Int, isBalanced: Bool, in context: CheckContext) {
        service = LocalCheckService(pool, worker: worker, isBalanced: isBalanced)
        self.pool = pool
        self.worker = worker
        self.context = context
    }

    /// The longest wait for the prober's own state.
    private static let stateMilliseconds = 500
    private static let longestCheckMilliseconds = 5000
    private static let longestExperimentMilliseconds = 3000

    /// Runs the diagnosis. Canceling the task ends it.
    public func run(_ request: DiagnosisRequest) async -> DiagnosisAnswer {
        let end = Clock.now().advanced(byMilliseconds: request.timeoutMilliseconds)
        let before = await state(for: nil)
        let limit = min(request.timeoutMilliseconds * 2 / 5, Self.longestCheckMilliseconds)
        let first = request.check.limited(toMilliseconds: max(limit, 1))
        let answer = await service.run(first, in: context, until: nil)
        guard case .result(let result) = answer else { return .notRun(answer) }
        var record = DiagnosisRecord(request: first.request, check: result, hidingProber: hidesProber)
        let after = await state(for: result.decisiveAttempt?.endpoint.internetAddress)
        record.before = before.prober
        record.after = after.prober
        record.route = after.route
        let plan = ExperimentPlan(
            after: result, of: first.request, nameServers: hidesProber ? [] : before.nameServers,
            hasControl: request.control != nil, mayAskPresets: request.mayAskPresets)
        record.experiments = await experiments(plan.experiments, after: record, request, until: end)
        let report = Conclusion.conclude(Observer.observations(of: record), about: record.subject, check: result)
        return .finished(record, report)
    }

    /// Whether the prober's own side is secret.
    private var hidesProber: Bool { context.policy?.profile == .public }

    private struct State: Sendable {
        var prober = ProberState()
        var nameServers: [IPEndpoint] = []
        var route: RouteState?
    }

    /// Reads files of /proc on another thread.
    private func state(for address: IPAddress?) async -> State {
        let deadline = Clock.now().advanced(byMilliseconds: Self.stateMilliseconds)
        let outcome = await pool.longWork.run(inGroup: 1, on: pool.workers[worker].reactor, until: deadline) {
            var state = State(prober: ProberReader.state())
            if let address {
                state.route = ProberReader.route(to: address)
            } else {
                state.nameServers = SystemNameServers.addresses().map { IPEndpoint(address: $0, port: 53) }
            }
            return state
        }
        if case .finished(let state) = outcome { return state }
        return State()
    }

    // MARK: Experiments

    /// Runs the experiments at once.
    /// - Returns: those that ran, in the order of the plan.
    private func experiments(
        _ experiments: [Experiment], after record: DiagnosisRecord, _ request: DiagnosisRequest,
        until end: MonotonicTime
    ) async -> [ExperimentResult] {
        let left = Int(max(end.since(Clock.now()), 0) / 1_000_000)
        guard left > 0 else { return [] }
        let checks = ExperimentChecks(
            record: record, control: request.control,
            milliseconds: min(left, Self.longestExperimentMilliseconds))
        let ports = experiments.filter(\.isOtherPort)
        let results = await withTaskGroup(of: [(Experiment, ExperimentResult)].self) { group in
            group.addTask { await firstAnswer(ports, checks, until: end) }
            for experiment in experiments where !experiment.isOtherPort {
                group.addTask { await run(experiment, checks, until: end).map { [(experiment, $0)] } ?? [] }
            }
            return await group.reduce(into: [Experiment: ExperimentResult]()) { results, finished in
                for (experiment, result) in finished { results[experiment] = result }
            }
        }
        return experiments.compactMap { results[$0] }
    }

    /// Tries ports until one answers; then the others do not matter.
    private func firstAnswer(
        _ ports: [Experiment], _ checks: ExperimentChecks, until end: MonotonicTime
    ) async -> [(Experiment, ExperimentResult)] {
        await withTaskGroup(of: (Experiment, ExperimentResult?).self) { group in
            for port in ports { group.addTask { (port, await run(port, checks, until: end)) } }
            var results: [(Experiment, ExperimentResult)] = []
            for await (port, result) in group {
                guard let result, result.result.outcome != .failed(.cancelled) else { continue }
                results.append((port, result))
                if result.result.hostAnswered { group.cancelAll() }
            }
            return results
        }
    }

    /// Runs one experiment; nil if it cannot run, or the policy denies it.
    private func run(
        _ experiment: Experiment, _ checks: ExperimentChecks, until end: MonotonicTime
    ) async -> ExperimentResult? {
        guard let check = checks.check(for: experiment) else { return nil }
        guard case .result(let result) = await service.run(check, in: context, until: end) else { return nil }
        return ExperimentResult(experiment, check.request, result)
    }
}

extension PreparedCheck {
    /// The same check with another timeout.
    func limited(toMilliseconds limit: Int) -> PreparedCheck {
        var request = request
        request.timeoutMilliseconds = limit
        return PreparedCheck(request: request, dialog: dialog)
    }
}

extension Experiment {
    fileprivate var isOtherPort: Bool {
        if case .otherPort = self { return true }
        return false
    }
}
