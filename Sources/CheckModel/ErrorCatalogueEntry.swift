/// One row of the errno catalogue: an error that a check may end with, and what to make of it.
///
/// Class, fault and `retryable` are those of the usual case; `Classifier` judges the case at hand.
public struct ErrorCatalogueEntry: Hashable, Sendable {
    /// The kernel's number; nil for a name of our own.
    public let errno: Errno?
    /// `ECONNREFUSED`, or a name of our own: `DEADLINE`, `NXDOMAIN`.
    public let name: String
    /// Further names of the same number: `EWOULDBLOCK` for EAGAIN.
    public let aliases: [String]
    public let errorClass: ErrorClass
    public let fault: Fault
    public let source: ErrorSource
    /// Whether the same request may succeed later without anybody changing anything.
    public let retryable: Bool
    /// strerror(3) for the kernel's errors, one short line for our own.
    public let message: String
    /// When connect(2), or a step around it, ends like this.
    public let when: String
    /// Where Linux differs from the manual page or adds to it; nil where it does neither.
    public let linux: String?
    /// What to do about it: one sentence for whoever is on call, under 200 characters.
    public let hint: String
    /// Whether the manual page of connect(2) names it.
    public let inManualPage: Bool

    /// The error as a result shows it in the usual case.
    public var report: ErrorReport {
        ErrorReport(
            errno: errno, name: name, errorClass: errorClass, fault: fault, source: source, message: message,
            hint: hint, retryable: retryable)
    }
}
