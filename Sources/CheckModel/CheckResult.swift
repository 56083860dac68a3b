public import ErrorCatalogue
public import NetworkTypes

/// The result of one check. A failed connect is a result, not a thrown error.
///
/// A class, because an immutable value that passes through many functions is cheaper to share than to copy.
public final class CheckResult: Sendable {
    public let ok: Bool
    public let outcome: Outcome
    /// The phase in which the check ended.
    public let phase: Phase
    /// nil for a success.
    public let error: ErrorReport?
    public let attempts: [AttemptResult]
    /// nil for UNIX-domain targets, and if the policy hides it.
    public let resolution: Resolution?
    /// What the phases after the connect learned, at most one report of each. It is from the decisive attempt if that had
    /// the phase, otherwise from the last attempt that did.
    public let reports: [PhaseReport]
    /// The trace that followed the check; nil if none did.
    public let trace: TraceReport?
    public let timings: Timings
    /// The statistics of all rounds; nil for a check of one round. The other members are those of the last round.
    public let rounds: RoundsReport?
    /// Wall-clock time, nanoseconds since 1970.
    public let startedAtNanoseconds: Int64

    public init(
        ok: Bool, outcome: Outcome, phase: Phase, error: ErrorReport?, attempts: [AttemptResult],
        resolution: Resolution?, reports: [PhaseReport] = [], trace: TraceReport? = nil, timings: Timings,
        rounds: RoundsReport? = nil,
        startedAtNanoseconds: Int64
    ) {
        self.ok = ok
        self.outcome = outcome
        self.phase = phase
        self.error = error
        self.attempts = attempts
        self.resolution = resolution
        self.reports = reports
        self.trace = trace
        self.timings = timings
        self.rounds = rounds
        self.startedAtNanoseconds = startedAtNanoseconds
    }
}

extension CheckResult {
    /// The same result with a trace.
    public func with(_ trace: TraceReport) -> CheckResult {
        CheckResult(
            ok: ok, outcome: outcome, phase: phase, error: error, attempts: attempts, resolution: resolution,
            reports: reports, trace: trace, timings: timings, rounds: rounds,
            startedAtNanoseconds: startedAtNanoseconds)
    }

    /// Returns the result of a check that the policy denies; nothing was resolved or sent.
    public static func denied(_ request: CheckRequest, startedAtNanoseconds: Int64) -> CheckResult {
        notStarted(request, because: .denied, startedAtNanoseconds: startedAtNanoseconds)
    }

    /// Returns the result of a check that ended before its first phase.
    public static func notStarted(
        _ request: CheckRequest, because error: OwnError, startedAtNanoseconds: Int64
    ) -> CheckResult {
        let report = Classifier.report(for: error)
        let outcome = Outcome.failed(report.errorClass)
        return CheckResult(
            ok: request.expectation.isMet(by: outcome, fault: report.fault), outcome: outcome, phase: .policy,
            error: report, attempts: [], resolution: nil, timings: Timings(),
            startedAtNanoseconds: startedAtNanoseconds)
    }
}

/// The result of one connect(2) to one address.
public struct AttemptResult: Sendable {
    public var endpoint: Endpoint
    public var outcome: Outcome
    /// The phase in which the attempt ended; `done` for a success.
    public var phase: Phase
    public var error: ErrorReport?
    /// getsockname(2), for internet sockets that have one.
    public var local: IPEndpoint?
    /// getpeername(2), once connected.
    public var peer: IPEndpoint?
    /// SO_PEERCRED, of a connected UNIX-domain socket.
    public var peerCredentials: PeerCredentials?
    /// Nanoseconds since the check started, after the queue.
    public var startNanoseconds: Int64
    public var durationNanoseconds: Int64
    /// Whether the last ACK of the handshake left before the reset, so that the peer's program may have seen the
    /// connection; nil except for a half-open check that connected.
    public var hasSentLastACK: Bool?
    /// The ICMP message that caused the error, if any.
    public var icmp: ICMPMessage?
    /// The sender of `icmp`.
    public var icmpSender: ICMPSender = .intermediate
    public var tcpInformation: TCPInformation?

    public init(endpoint: Endpoint, outcome: Outcome, phase: Phase, startNanoseconds: Int64) {
        self.endpoint = endpoint
        self.outcome = outcome
        self.phase = phase
        self.startNanoseconds = startNanoseconds
        self.durationNanoseconds = 0
    }
}

/// The result of resolving a host.
public struct Resolution: Hashable, Sendable {
    public enum Source: String, CaseIterable, Sendable {
        case dns, hosts, literal
    }
    /// The name as in the target.
    public var name: String
    /// The addresses in the order in which they are tried.
    public var addresses: [IPAddress]
    public var source: Source
    /// The last name of the CNAME chain or of the search expansion, without a trailing dot; nil if it is the name
    /// itself.
    public var canonicalName: String?
    /// Every name between `name` and the addresses, including search expansions and CNAMEs; host rules judge all of
    /// them.
    public var aliases: [String]
    /// Whether `addresses` is truncated: the name has more addresses than are tried.
    public var isTruncated = false

    public init(
        name: String, addresses: [IPAddress], source: Source, canonicalName: String? = nil, aliases: [String] = []
    ) {
        self.name = name
        self.addresses = addresses
        self.source = source
        self.canonicalName = canonicalName
        self.aliases = aliases
    }
}

/// The report of a dialog.
public struct DialogReport: Sendable {
    public var steps: [DialogStepReport]
    /// Named groups of the patterns in the order in which they matched: the first 1 KiB of each, with escapes such as
    /// `\xNN` for invalid UTF-8.
    public var groups: [Label]
    /// The index of the step that failed; nil if none did.
    public var failedStep: Int?

    public init(steps: [DialogStepReport] = [], groups: [Label] = [], failedStep: Int? = nil) {
        self.steps = steps
        self.groups = groups
        self.failedStep = failedStep
    }
}

/// The report of one dialog step.
public struct DialogStepReport: Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case expect, send, reject
        case expectHex = "expect_hex"
        case sendHex = "send_hex"
        case startTLS = "starttls"
    }
    public var kind: Kind
    public var ok: Bool
    public var durationNanoseconds: Int64
    /// Bytes sent, or received while the step waited.
    public var bytes: Int
    /// At most 1 KiB of what was received while the step waited; nil for steps that send.
    public var received: [UInt8]?
    /// Why the step failed, if the outcome does not tell, such as a pattern that takes too much time.
    public var detail: String?
    /// The labels of an `expectLine` step that was met.
    public var labels: [Label] = []

    public init(
        kind: Kind, ok: Bool, durationNanoseconds: Int64, bytes: Int, received: [UInt8]?, detail: String? = nil
    ) {
        self.kind = kind
        self.ok = ok
        self.durationNanoseconds = durationNanoseconds
        self.bytes = bytes
        self.received = received
        self.detail = detail
    }
}
