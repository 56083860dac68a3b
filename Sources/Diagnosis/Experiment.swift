public import CheckModel
internal import ErrorCatalogue
public import NetworkTypes

/// A further check of a diagnosis. Each differs from the first check in one point.
public enum Experiment: Hashable, Sendable {
    /// Every address of the name, at once.
    case everyAddress
    /// Another port of the same host, without TLS: any answer proves that the host is up.
    case otherPort(UInt16)
    /// The control target of the request.
    case control
    /// The name, resolved by this server only.
    case nameServer(IPEndpoint)
    /// An address that no machine has, with the same port.
    case absentAddress(IPAddress)
    /// The connection is held open for a moment.
    case hold
    /// The path, with connects of rising TTL.
    case trace
    /// The question of a UDP preset.
    case question(UDPPreset)
    /// Without the request's `bind`.
    case withoutBind
    /// Without the TCP MD5 key.
    case withoutSignature
    /// TCP segments of at most 536 bytes.
    case smallSegments
    /// A ClientHello of about 100 bytes.
    case smallHello
    case withoutServerName
    /// TLS 1.0 and 1.1, with all ciphers, without verification.
    case oldVersions
}

/// A check that a diagnosis ran.
public struct ExperimentResult: Sendable {
    public let experiment: Experiment
    public let request: CheckRequest
    public let result: CheckResult

    public init(_ experiment: Experiment, _ request: CheckRequest, _ result: CheckResult) {
        self.experiment = experiment
        self.request = request
        self.result = result
    }
}

/// Everything that a diagnosis saw.
public struct DiagnosisRecord: Sendable {
    public let request: CheckRequest
    public let check: CheckResult
    public var experiments: [ExperimentResult] = []
    /// The prober before the first check.
    public var before = ProberState()
    /// The prober after the first check.
    public var after = ProberState()
    /// The route to the address that decided the check; nil for a UNIX socket or without an address.
    public var route: RouteState?
    /// Whether what is internal to the prober is secret, as in the profile `public`: its state, its name servers, and
    /// the routers on its paths.
    public let hidesProber: Bool

    public init(request: CheckRequest, check: CheckResult, hidingProber hidesProber: Bool = false) {
        self.request = request
        self.check = check
        self.hidesProber = hidesProber
    }

    public var subject: DiagnosisSubject { DiagnosisSubject(request.target) }

    func results(of matches: (Experiment) -> Bool) -> [ExperimentResult] {
        experiments.filter { matches($0.experiment) }
    }

    func result(of experiment: Experiment) -> CheckResult? {
        experiments.first { $0.experiment == experiment }?.result
    }
}

extension CheckResult {
    /// The attempt that decided the check; nil if it ended before any.
    public var decisiveAttempt: AttemptResult? {
        attempts.last { $0.outcome == outcome && $0.phase == phase } ?? attempts.last
    }

    /// Whether the host itself answered: it accepted, refused or reset the connection.
    package var hostAnswered: Bool {
        guard let attempt = decisiveAttempt else { return false }
        switch attempt.outcome {
        case .connected, .answered: return true
        case .associated: return false
        case .failed(let errorClass):
            if attempt.phase == .tls || attempt.phase == .dialog || attempt.phase == .hold { return true }
            return (errorClass == .refused || errorClass == .reset)
                && (attempt.icmp == nil || attempt.icmpSender == .target)
        }
    }
}
