public import ErrorCatalogue
public import NetworkTypes

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

extension CheckResult {
    /// The result of a check that the policy denies. Nothing was resolved or sent.
    public static func denied(_ request: CheckRequest, startedAtNanoseconds: Int64) -> CheckResult {
        notStarted(request, because: .denied, startedAtNanoseconds: startedAtNanoseconds)
    }

    /// The result of a check that ended before its first phase.
    public static func notStarted(
        _ request: CheckRequest, because error: OwnError, startedAtNanoseconds: Int64
    ) -> CheckResult {
        let report = Classifier.report(for: error)
        let outcome = Outcome.failed(report.errorClass)
        return CheckResult(
            ok: request.expectation.isMet(by: outcome, fault: report.fault), outcome: outcome, phase: .policy,
            error: report, attempts: [], resolution: nil, dialog: nil, timings: Timings(),
            startedAtNanoseconds: startedAtNanoseconds)
    }
}

/// One connect(2) to one address, and what came of it.
public struct AttemptResult: Sendable {
    public var endpoint: Endpoint
    public var outcome: Outcome
    /// Where the attempt ended; `done` for a success.
    public var phase: Phase
    public var error: ErrorReport?
    /// getsockname(2), for internet sockets that have one.
    public var local: IPEndpoint?
    /// getpeername(2), once connected.
    public var peer: IPEndpoint?
    /// SO_PEERCRED, of a connected UNIX-domain socket.
    public var peerCredentials: PeerCredentials?
    /// Since the check began (behind the queue), nanoseconds.
    public var startNanoseconds: Int64
    public var durationNanoseconds: Int64
    /// The ICMP message behind the error, where there was one.
    public var icmp: ICMPMessage?
    /// Who sent it.
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

/// What a host stood for.
public struct Resolution: Hashable, Sendable {
    public enum Source: String, CaseIterable, Sendable {
        case dns, hosts, literal
    }
    /// As the target has it.
    public var name: String
    /// In the order in which they are tried.
    public var addresses: [IPAddress]
    public var source: Source
    /// The last name of the CNAME chain or of the search expansion, without a trailing dot; nil where it is the name itself.
    public var canonicalName: String?
    /// Every name on the way from `name` to the addresses, search expansions and CNAMEs included: what host rules judge.
    public var aliases: [String]
    /// Whether the name has more addresses than are tried; `addresses` then has those that are.
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

/// How a dialog went.
public struct DialogReport: Sendable {
    public var steps: [DialogStepReport]
    /// Named groups of the patterns, in the order in which they matched: the first 1 KiB of each, with escapes
    /// (`\xNN` and the like) where the value is no UTF-8.
    public var groups: [Label]
    /// The index of the step that failed; nil if none did.
    public var failedStep: Int?

    public init(steps: [DialogStepReport] = [], groups: [Label] = [], failedStep: Int? = nil) {
        self.steps = steps
        self.groups = groups
        self.failedStep = failedStep
    }
}

/// How one step of a dialog went.
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
    /// What came while the step waited, at most 1 KiB; nil for steps that send.
    public var received: [UInt8]?
    /// Why the step failed, where the outcome does not tell: a pattern that takes too much time.
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
