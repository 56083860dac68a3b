internal import CheckModel

/// A probe with its result: what metrics and logs are written from.
struct BlackboxReport: Sendable {
    let probe: BlackboxProbe
    let result: CheckResult

    var isSuccess: Bool { result.ok }

    /// Without the wait for a permit.
    var durationNanoseconds: Int64 { max(result.timings.total - result.timings.queue, 0) }

    /// Whether there was a target at all.
    var hasTarget: Bool { result.error?.name != OwnError.invalid.rawValue }

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
