/// The answer to one check. A connect that failed is a result, never a thrown error.
///
/// It never changes, and is handed on through many functions: one object is cheaper than as many copies.
package final class CheckResult: Sendable {
    package let ok: Bool
    package let outcome: Outcome
    /// Where the check ended.
    package let phase: Phase
    /// Absent where the outcome is a success.
    package let error: ErrorReport?
    package let attempts: [AttemptResult]
    /// Absent for UNIX-domain targets, and where the policy hides it.
    package let resolution: Resolution?
    package let dialog: DialogReport?
    package let timings: Timings
    /// Wall-clock time, nanoseconds since 1970.
    package let startedAtNanoseconds: Int64

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
