internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// The result of a check in progress. Only the check's task uses it.
final class ResultDraft {
    let plan: AttemptPlan
    private let startedAtNanoseconds = Clock.wallNanoseconds()
    var timings = Timings()
    var resolution: Resolution?
    var attempts: [AttemptResult] = []
    /// The index of the attempt that decided the check.
    private var decisiveIndex: Int?
    private var reports: [PhaseReport] = []
    private var verdict: (outcome: Outcome, phase: Phase, error: ErrorReport?)?

    @inline(never)
    init(plan: AttemptPlan, queueNanoseconds: Int64) {
        self.plan = plan
        timings[.queue] = queueNanoseconds
    }

    /// Ends the check before any attempt.
    @inline(never)
    func fail(with report: ErrorReport, in phase: Phase) {
        verdict = (.failed(report.errorClass), phase, report)
    }

    /// Whether the check was cancelled.
    var isCancelled: Bool { verdict?.outcome == .failed(.cancelled) }

    /// The address that decided the check, if its attempt sent a packet or the policy denied it; otherwise nil, as for a
    /// cancelled check.
    var endpointToTrace: IPEndpoint? {
        guard let decisiveIndex, !isCancelled, case .ip(let endpoint) = attempts[decisiveIndex].endpoint else {
            return nil
        }
        switch attempts[decisiveIndex].phase {
        case .policy, .connect, .hold, .tls, .dialog, .done: return endpoint
        case .resolve, .socket, .bind: return nil
        }
    }

    /// Takes the results of the attempts, and derives the check's own result from them.
    /// - Parameter begin: when the first attempt began.
    func take(_ outcomes: [AttemptOutcome], begunAt begin: MonotonicTime) {
        attempts = outcomes.map(\.result)
        let index = Self.decisive(among: attempts, requiringAll: plan.request.resolve.addresses == .all)
        decisiveIndex = index
        // Member by member: a copy of the attempt would cost more than the rest.
        verdict = (attempts[index].outcome, attempts[index].phase, attempts[index].error)
        let hasLaterPhases = outcomes.contains { !$0.phases.isEmpty }
        let later = hasLaterPhases ? takeLaterPhases(of: outcomes, decisive: outcomes[index]) : 0
        timings[.connect] = max(Clock.now().since(begin) - later, 0)
    }

    /// Takes the reports and durations of the phases after the connect.
    /// - Returns: how long these phases took, in nanoseconds.
    private func takeLaterPhases(of outcomes: [AttemptOutcome], decisive: AttemptOutcome) -> Int64 {
        // Successive attempts add up. Of simultaneous ones, the longest counts.
        let isSuccessive = plan.request.resolve.addresses == .first
        var total: Int64 = 0
        for phase in TimedPhase.inOrder {
            let durations = outcomes.compactMap { $0.outcome(of: phase)?.nanoseconds }
            guard !durations.isEmpty else { continue }
            timings[phase] = durations.reduce(0) { isSuccessive ? $0 + $1 : max($0, $1) }
            total += timings[phase]
            let report =
                decisive.outcome(of: phase)?.report
                ?? outcomes.lazy.compactMap { $0.outcome(of: phase)?.report }.last
            if let report { reports.append(report) }
        }
        return total
    }

    /// The attempt that decides the check: a success if one is enough, otherwise the failure that got furthest, or the
    /// first of these.
    private static func decisive(among attempts: [AttemptResult], requiringAll: Bool) -> Int {
        if attempts.count == 1 { return 0 }
        let failures = attempts.indices.filter { !attempts[$0].outcome.isSuccess }
        if let success = attempts.lastIndex(where: \.outcome.isSuccess), !requiringAll || failures.isEmpty {
            return success
        }
        // If one success is enough, the address that was not tried might have connected.
        let untried = failures.first { attempts[$0].error?.name == OwnError.proberBusy.rawValue }
        if !requiringAll, let untried { return untried }
        // SAFETY of the precondition: every strategy makes an attempt, and no attempt succeeded here.
        guard let first = failures.first else { preconditionFailure("a check without an attempt") }
        return failures.dropFirst().reduce(first) {
            attempts[$1].phase.depth > attempts[$0].phase.depth ? $1 : $0
        }
    }

    /// The finished result.
    @inline(never)
    func finished() -> CheckResult {
        guard let verdict else { preconditionFailure("a check without a verdict") }
        var timings = timings
        timings[.total] = Clock.now().since(plan.start) + timings[.queue]
        return CheckResult(
            ok: plan.request.expectation.isMet(by: verdict.outcome, fault: verdict.error?.fault),
            outcome: verdict.outcome, phase: verdict.phase,
            error: verdict.error, attempts: attempts, resolution: resolution, reports: reports, timings: timings,
            startedAtNanoseconds: startedAtNanoseconds)
    }
}

extension Phase {
    /// The order of the phases, from 0.
    fileprivate var depth: Int {
        switch self {
        case .policy: 0
        case .resolve: 1
        case .socket: 2
        case .bind: 3
        case .connect: 4
        case .hold: 5
        case .tls: 6
        case .dialog: 7
        case .done: 8
        }
    }
}
