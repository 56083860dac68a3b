internal import CheckModel

/// A probe with its result: what metrics and logs are written from.
struct BlackboxReport: Sendable {
    let probe: BlackboxProbe
    let result: CheckResult

    /// An association alone is none: no peer was heard.
    var isSuccess: Bool { result.ok && !isUnverified }

    private var isUnverified: Bool { result.outcome == .associated }

    /// What made the probe fail, in the words that a person can act on; nil where the error's name says it all.
    var reason: String? {
        if isSuccess { return nil }
        if isUnverified { return "not verified: no answer was waited for; give the module a query_response" }
        guard let error = result.error else { return nil }
        switch error.errorClass {
        // A denial is the same whatever the target.
        case .denied: return error.message
        case .invalid: return probe.flaw ?? error.message
        case _: return probe.flaw
        }
    }

    /// Without the wait for a permit.
    var durationNanoseconds: Int64 { max(result.timings.total - result.timings.queue, 0) }

    /// Whether blackbox_exporter would have resolved the target's host: it does that before it looks at the port.
    var hasHost: Bool {
        result.error?.name != OwnError.invalid.rawValue || GoHostPort(probe.query.target) != nil
    }

    /// The attempt that decided: the one that succeeded, else the one that the check's error is from, else the first.
    var decisiveAttempt: AttemptResult? {
        result.attempts.first { $0.outcome.isSuccess }
            ?? result.attempts.first { $0.error == result.error && $0.phase == result.phase }
            ?? result.attempts.first
    }

    /// The address that was probed, or would have been.
    var address: IPAddress? {
        decisiveAttempt?.endpoint.internetAddress ?? result.resolution?.addresses.first
    }

    /// Whether the step that failed expected lines, and the peer ended without one that matches. As there, it is not the
    /// pattern that failed where the time was up.
    var failedDueToRegex: Bool {
        guard failedStep?.kind == .expect else { return false }
        return result.error?.name == OwnError.dialogClosed.rawValue
    }

    /// Whether the step that failed expected bytes, and got others.
    var failedDueToBytes: Bool { failedStep?.kind == .expectHex && failedStep?.detail != nil }

    private var failedStep: DialogStepReport? {
        guard let dialog = result.dialog, let index = dialog.failedStep, dialog.steps.indices.contains(index) else {
            return nil
        }
        return dialog.steps[index]
    }
}
