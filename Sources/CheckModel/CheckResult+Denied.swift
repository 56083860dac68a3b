extension CheckResult {
    /// The result of a check that the policy denies, where there is no status to say so: nothing was resolved or sent.
    public static func denied(_ request: CheckRequest, startedAtNanoseconds: Int64) -> CheckResult {
        let outcome = Outcome.failed(.denied)
        return CheckResult(
            ok: request.expectation.isMet(by: outcome), outcome: outcome, phase: .policy,
            error: Classifier.report(for: .denied), attempts: [], resolution: nil, dialog: nil, timings: Timings(),
            startedAtNanoseconds: startedAtNanoseconds)
    }
}
