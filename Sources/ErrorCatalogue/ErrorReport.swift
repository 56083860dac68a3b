public import NetworkTypes

/// A classified error: the member `error` of a result.
///
/// A class, because most failed checks share a report that was made at the start.
public final class ErrorReport: Hashable, Sendable {
    /// The kernel's number; nil if the error is not from the kernel (a deadline, a resolver, a policy).
    public let errno: Errno?
    /// `ECONNREFUSED`, or one of connectd's own names: `DEADLINE`, `NXDOMAIN`, `DIALOG_MISMATCH`.
    public let name: String
    public let errorClass: ErrorClass
    public let fault: Fault
    public let source: ErrorSource
    /// One short line; the text of strerror(3) for a kernel error.
    public let message: String
    /// What to do about the error, in one sentence.
    public let hint: String
    /// Whether the same request may succeed later without any change.
    public let retryable: Bool
    /// The TLS alert that caused the error, if any.
    public let alert: TLSAlertReport?
    /// Bytes that the peer sent instead of TLS, or its refusal of STARTTLS; otherwise nil.
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

/// The kind of a failure. Every error has exactly one class.
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

/// The outcome of a check: a success, or the class of the error that ended it.
public enum Outcome: Hashable, Sendable {
    /// The connection is established, and the requested TLS handshake and dialog succeeded.
    case connected
    /// A datagram socket is associated with its peer, which has not answered.
    case associated
    /// A datagram peer answered.
    case answered
    case failed(ErrorClass)

    /// The word for the outcome in JSON and on the command line.
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

    /// Makes the outcome with that word; nil for any other word.
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

/// The party that caused an error.
public enum Fault: String, CaseIterable, Sendable {
    case target, network, prober, request, resolver

    /// Whether an error with this fault says something about the target or the path to it.
    public var isAboutTarget: Bool {
        switch self {
        case .target, .network: true
        case .prober, .request, .resolver: false
        }
    }
}

/// The part of the system that reported the failure.
public enum ErrorSource: String, CaseIterable, Sendable {
    case kernel, deadline, resolver, tls, dialog, policy
}

/// The phase in which a check ended.
public enum Phase: String, CaseIterable, Sendable {
    case policy, resolve, socket, bind, connect, hold, tls, dialog, done
}
