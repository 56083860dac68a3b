import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// A result while its check is under way; it stays with the check's task.
final class ResultDraft {
    let plan: AttemptPlan
    private let startedAtNanoseconds = Clock.wallNanoseconds()
    var timings = Timings()
    var resolution: Resolution?
    var attempts: [AttemptResult] = []
    /// The attempts whose handshake and dialog the result shows. Objects: the reports would take a place in every draft.
    private var shaken: AttemptOutcome?
    private var conversed: AttemptOutcome?
    private var verdict: (outcome: Outcome, phase: Phase, error: ErrorReport?)?

    @inline(never)
    init(plan: AttemptPlan, queueNanoseconds: Int64) {
        self.plan = plan
        timings.queue = queueNanoseconds
    }

    /// Ends the check before any attempt.
    @inline(never)
    func fail(with report: ErrorReport, in phase: Phase) {
        verdict = (.failed(report.errorClass), phase, report)
    }

    /// Whether the check was ended because nobody waits for it.
    var isCancelled: Bool { verdict?.outcome == .failed(.cancelled) }

    /// Takes the attempts' results over, and derives the check's own from them.
    func take(_ outcomes: [AttemptOutcome], begunAt begin: MonotonicTime) {
        // One after another they add up; at once, the longest counts.
        let inTurn = plan.request.resolve.addresses == .first
        func total(_ part: (AttemptOutcome) -> Int64) -> Int64 {
            outcomes.reduce(0) { inTurn ? $0 + part($1) : max($0, part($1)) }
        }
        timings.tls = total(\.tlsNanoseconds)
        timings.dialog = total(\.dialogNanoseconds)
        timings.connect = max(Clock.now().since(begin) - timings.tls - timings.dialog, 0)
        attempts = outcomes.map(\.result)
        let index = Self.decisive(among: attempts, requiringAll: plan.request.resolve.addresses == .all)
        let decisive = attempts[index]
        verdict = (decisive.outcome, decisive.phase, decisive.error)
        shaken = outcomes[index].tls != nil ? outcomes[index] : outcomes.last { $0.tls != nil }
        conversed = outcomes[index].dialog != nil ? outcomes[index] : outcomes.last { $0.dialog != nil }
    }

    /// The attempt whose answer is the check's: a success where one is enough, else the failure that got furthest, the
    /// first of equals.
    private static func decisive(among attempts: [AttemptResult], requiringAll: Bool) -> Int {
        let failures = attempts.indices.filter { !attempts[$0].outcome.isSuccess }
        if let success = attempts.lastIndex(where: \.outcome.isSuccess), !requiringAll || failures.isEmpty {
            return success
        }
        // Where one success would be enough, an address that was not tried leaves the question open.
        let untried = failures.first { attempts[$0].error?.name == OwnError.proberBusy.rawValue }
        if !requiringAll, let untried { return untried }
        // SAFETY of the precondition: no strategy ends without an attempt, and none was a success here.
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
        timings.total = Clock.now().since(plan.start) + timings.queue
        return CheckResult(
            ok: plan.request.expectation.isMet(by: verdict.outcome, fault: verdict.error?.fault),
            outcome: verdict.outcome, phase: verdict.phase,
            error: verdict.error, attempts: attempts, resolution: resolution, tls: shaken?.tls,
            dialog: conversed?.dialog,
            timings: timings,
            startedAtNanoseconds: startedAtNanoseconds)
    }
}

extension Phase {
    /// How far a check has got, from 0.
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
