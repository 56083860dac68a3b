/// The answer to one check. A connect that failed is a result, never a thrown error.
package struct CheckResult: Sendable {
    package var ok: Bool
    package var outcome: Outcome
    /// Where the check ended.
    package var phase: Phase
    /// Absent where the outcome is a success.
    package var error: ErrorReport?
    package var attempts: [AttemptResult]
    /// Absent for UNIX-domain targets, and where the policy hides it.
    package var resolution: Resolution?
    package var dialog: DialogReport?
    package var timings: Timings
    /// Wall-clock time, nanoseconds since 1970.
    package var startedAtNanoseconds: Int64

    package init(
        ok: Bool, outcome: Outcome, phase: Phase, error: ErrorReport?, attempts: [AttemptResult],
        resolution: Resolution?, dialog: DialogReport?, timings: Timings, startedAtNanoseconds: Int64
    ) {
        self.ok = ok
        self.outcome = outcome
        self.phase = phase
        self.error = error
        self.attempts = attempts
        self.resolution = resolution
        self.dialog = dialog
        self.timings = timings
        self.startedAtNanoseconds = startedAtNanoseconds
    }
}

/// How long each part took, in nanoseconds.
package struct Timings: Hashable, Sendable {
    /// The wait for a permit; not part of `total`'s budget, but counted in it.
    package var queue: Int64 = 0
    package var resolve: Int64 = 0
    package var connect: Int64 = 0
    package var tls: Int64 = 0
    package var dialog: Int64 = 0
    package var total: Int64 = 0

    package init() {}
}
