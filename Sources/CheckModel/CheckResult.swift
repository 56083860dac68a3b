/// The answer to one check. A connect that failed is a result, never a thrown error.
///
/// It never changes, and is handed on through many functions: one object is cheaper than as many copies.
public final class CheckResult: Sendable {
    public let ok: Bool
    public let outcome: Outcome
    /// Where the check ended.
    public let phase: Phase
    /// Absent where the outcome is a success.
    public let error: ErrorReport?
    public let attempts: [AttemptResult]
    /// Absent for UNIX-domain targets, and where the policy hides it.
    public let resolution: Resolution?
    /// What the handshake of the decisive attempt showed; nil where none was begun.
    public let tls: TLSReport?
    public let dialog: DialogReport?
    public let timings: Timings
    /// Wall-clock time, nanoseconds since 1970.
    public let startedAtNanoseconds: Int64

    public init(
        ok: Bool, outcome: Outcome, phase: Phase, error: ErrorReport?, attempts: [AttemptResult],
        resolution: Resolution?, tls: TLSReport? = nil, dialog: DialogReport?, timings: Timings,
        startedAtNanoseconds: Int64
    ) {
        self.ok = ok
        self.outcome = outcome
        self.phase = phase
        self.error = error
        self.attempts = attempts
        self.resolution = resolution
        self.tls = tls
        self.dialog = dialog
        self.timings = timings
        self.startedAtNanoseconds = startedAtNanoseconds
    }
}

/// How long each part took, in nanoseconds.
public struct Timings: Hashable, Sendable {
    /// The wait for a permit; not part of `total`'s budget, but counted in it.
    public var queue: Int64 = 0
    public var resolve: Int64 = 0
    public var connect: Int64 = 0
    public var tls: Int64 = 0
    public var dialog: Int64 = 0
    public var total: Int64 = 0

    public init() {}
}
