/// One row of the errno catalogue: an error that a check may end with, and what to make of it.
///
/// Class, fault and `retryable` are those of the usual case; `Classifier` judges the case at hand.
package struct ErrorCatalogueEntry: Hashable, Sendable {
    /// The kernel's number; nil for a name of our own.
    package let errno: Errno?
    /// `ECONNREFUSED`, or a name of our own: `DEADLINE`, `NXDOMAIN`.
    package let name: String
    /// Further names of the same number: `EWOULDBLOCK` for EAGAIN.
    package let aliases: [String]
    package let errorClass: ErrorClass
    package let fault: Fault
    package let source: ErrorSource
    /// Whether the same request may succeed later without anybody changing anything.
    package let retryable: Bool
    /// strerror(3) for the kernel's errors, one short line for our own.
    package let message: String
    /// When connect(2), or a step around it, ends like this.
    package let when: String
    /// Where Linux differs from the manual page or adds to it; nil where it does neither.
    package let linux: String?
    /// What to do about it: one sentence for whoever is on call, under 200 characters.
    package let hint: String
    /// Whether the manual page of connect(2) names it.
    package let inManualPage: Bool

    /// The error as a result shows it in the usual case.
    package var report: ErrorReport {
        ErrorReport(
            errno: errno, name: name, errorClass: errorClass, fault: fault, source: source, message: message,
            hint: hint, retryable: retryable)
    }
}
