/// One error, told apart: what users see under `error`.
///
/// An object, since most checks that fail share one that was made at the start.
public final class ErrorReport: Hashable, Sendable {
    /// The kernel's number; nil where the error is not the kernel's (a deadline, a resolver, a policy).
    public let errno: Errno?
    /// `ECONNREFUSED`, or a name of our own: `DEADLINE`, `NXDOMAIN`, `DIALOG_MISMATCH`.
    public let name: String
    public let errorClass: ErrorClass
    public let fault: Fault
    public let source: ErrorSource
    /// One short line; for a kernel error the C library's strerror(3).
    public let message: String
    /// One sentence that helps whoever is on call.
    public let hint: String
    /// Whether the same request may succeed later without anybody changing anything.
    public let retryable: Bool
    /// The TLS alert behind it, where there was one.
    public let alert: TLSAlertReport?
    /// The peer's own bytes, where they tell more than any name: what came in place of TLS, the line that refused STARTTLS.
    public let received: [UInt8]?

    public init(
        errno: Errno?, name: String, errorClass: ErrorClass, fault: Fault, source: ErrorSource, message: String,
        hint: String, retryable: Bool, alert: TLSAlertReport? = nil, received: [UInt8]? = nil
    ) {
        self.errno = errno
        self.name = name
        self.errorClass = errorClass
        self.fault = fault
        self.source = source
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.alert = alert
        self.received = received
    }

    public static func == (left: ErrorReport, right: ErrorReport) -> Bool {
        left === right
            || (left.errno, left.name, left.errorClass, left.fault, left.source) == (
                right.errno, right.name, right.errorClass, right.fault, right.source
            ) && (left.message, left.hint, left.retryable) == (right.message, right.hint, right.retryable)
                && (left.alert, left.received) == (right.alert, right.received)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(hint)
    }
}
