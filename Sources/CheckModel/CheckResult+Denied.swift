extension CheckResult {
    /// The result of a check that the policy denies, where there is no status to say so: nothing was resolved or sent.
    public static func denied(_ request: CheckRequest, startedAtNanoseconds: Int64) -> CheckResult {
        let outcome = Outcome.failed(.denied)
        let report = Classifier.report(for: .denied)
        return CheckResult(
            ok: request.expectation.isMet(by: outcome, fault: report.fault), outcome: outcome, phase: .policy,
            error: report, attempts: [], resolution: nil, dialog: nil, timings: Timings(),
            startedAtNanoseconds: startedAtNanoseconds)
    }
}
