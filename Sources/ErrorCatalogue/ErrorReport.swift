public import NetworkTypes

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

/// One word for one kind of failure. Every error number has exactly one class.
public enum ErrorClass: String, CaseIterable, Sendable {
    case refused
    case reset
    case timeout
    case unreachable
    case notPermitted = "not_permitted"
    case noSuchSocket = "no_such_socket"
    case backlogFull = "backlog_full"
    case closedEarly = "closed_early"
    case badPath = "bad_path"
    case wrongType = "wrong_type"
    case proberMisconfigured = "prober_misconfigured"
    case proberExhausted = "prober_exhausted"
    case resolveFailed = "resolve_failed"
    case tlsFailed = "tls_failed"
    case dialogFailed = "dialog_failed"
    case denied
    case invalid
    case cancelled
    case unclassified
    case `internal`
}

/// One word for a whole check: a success, or the class of the error that ended it.
public enum Outcome: Hashable, Sendable {
    /// The connection is established, and what was asked for on it (a dialog) went well.
    case connected
    /// A datagram socket has its peer; nothing was heard from it.
    case associated
    /// A datagram peer answered.
    case answered
    case failed(ErrorClass)

    /// The word that users see.
    public var word: String {
        switch self {
        case .connected: "connected"
        case .associated: "associated"
        case .answered: "answered"
        case .failed(let errorClass): errorClass.rawValue
        }
    }

    public var isSuccess: Bool {
        switch self {
        case .connected, .associated, .answered: true
        case .failed: false
        }
    }

    /// The outcome with that word, or nil for a word that is none.
    public init?(word: some StringProtocol) {
        switch word {
        case "connected": self = .connected
        case "associated": self = .associated
        case "answered": self = .answered
        default:
            guard let errorClass = ErrorClass(rawValue: String(word)) else { return nil }
            self = .failed(errorClass)
        }
    }

    /// All outcomes, successes first.
    public static let all: [Outcome] = [.connected, .associated, .answered] + ErrorClass.allCases.map(Outcome.failed)
}

/// Whose side an error is on.
public enum Fault: String, CaseIterable, Sendable {
    case target, network, prober, request, resolver

    /// Whether an error of this fault says something about the target or the way to it.
    public var isAboutTarget: Bool {
        switch self {
        case .target, .network: true
        case .prober, .request, .resolver: false
        }
    }
}

/// Who said that a check failed.
public enum ErrorSource: String, CaseIterable, Sendable {
    case kernel, deadline, resolver, tls, dialog, policy
}

/// Where a check ended.
public enum Phase: String, CaseIterable, Sendable {
    case policy, resolve, socket, bind, connect, hold, tls, dialog, done
}
