public import AccessPolicy
public import CheckModel
public import Dialog
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
public import TLS

/// What all attempts of one check have in common. It is immutable.
/// It is an object because a value would be copied, member by member, at every call.
final class AttemptPlan: Sendable {
    private let check: PreparedCheck
    private let context: CheckContext
    let reactor: Reactor
    let contexts: TLSContexts
    /// Grants further sockets to a check that tries several addresses at once.
    let admission: Admission
    /// When the check began, after its wait in the queue. The start times of attempts count from here.
    let start: MonotonicTime
    /// When the check must end.
    let deadline: MonotonicTime
    private let stalledBefore: UInt64

    /// Whether connectd itself did not run for a quarter of the check's time or more. What the peer did meanwhile is not known.
    var wasStalled: Bool {
        (reactor.stalledNanoseconds(at: Clock.now()) &- stalledBefore) / 250_000 >= UInt64(request.timeoutMilliseconds)
    }

    var request: CheckRequest { check.request }
    var dialog: Dialog? { check.dialog }

    /// nil if the check runs with the caller's own rights.
    var policy: Policy? { context.policy }
    var md5Key: [UInt8]? { request.socket.tcpMD5.flatMap { context.md5Keys[$0] } }

    init(
        _ check: PreparedCheck, in context: CheckContext, reactor: Reactor, contexts: TLSContexts,
        admission: Admission, start: MonotonicTime, until limit: MonotonicTime? = nil
    ) {
        self.check = check
        self.context = context
        self.reactor = reactor
        self.contexts = contexts
        self.admission = admission
        self.start = start
        let deadline = start.advanced(byMilliseconds: check.request.timeoutMilliseconds)
        self.deadline = limit.map { min($0, deadline) } ?? deadline
        stalledBefore = reactor.stalledNanoseconds
    }

    /// The same plan for another request to the same target, without a dialog.
    func replacing(_ request: CheckRequest) -> AttemptPlan {
        AttemptPlan(
            PreparedCheck(request: request), in: context, reactor: reactor, contexts: contexts, admission: admission,
            start: start)
    }

    /// The TLS options; nil if the check does not use TLS.
    var tls: TLSOptions? {
        request.tls ?? (request.target.impliesTLS || dialogStartsTLS ? TLSOptions() : nil)
    }
    /// Whether the check uses TLS. Cheaper than `tls`, which copies all options.
    var usesTLS: Bool { request.tls != nil || request.target.impliesTLS || dialogStartsTLS }
    /// Whether TLS begins within the dialog, not before it.
    var dialogStartsTLS: Bool { request.dialog.contains(.startTLS) }
    var tlsMaterial: TLSMaterial { context.tls }

    /// The host and port of an internet target.
    var hostAndPort: (Host, UInt16)? {
        switch request.target.peer {
        case .tcp(let host, let port), .udp(let host, let port): (host, port)
        case .unix: nil
        }
    }

    /// The circumstances that are known before the error.
    func circumstances(in phase: Phase, of endpoint: Endpoint) -> Circumstances {
        var circumstances = Circumstances(phase: phase, transport: .init(request.target.peer))
        circumstances.requestedBind = .init(request.bind)
        circumstances.signsWithMD5 = md5Key != nil
        circumstances.asksPreset = request.preset != nil
        if case .ip(let endpoint) = endpoint { circumstances.destination = endpoint.address }
        if case (.name, _)? = hostAndPort { circumstances.destinationIsResolved = true }
        circumstances.source = request.bind.address
        return circumstances
    }

    /// The error of a part of the check that did not get what it waited for: a socket, or memory.
    static var shortage: ErrorReport { Classifier.report(for: Task.isCancelled ? .cancelled : .proberBusy) }

    /// The same for memory; counts the refusal.
    func memoryShortage() -> ErrorReport {
        if !Task.isCancelled { admission.memory.noteRefusal() }
        return Self.shortage
    }

    /// What an attempt takes for its later phases, in bytes; 0 if its check has taken that at its start.
    var laterPhaseBytes: Int { check.runsOneAttemptAtOnce ? 0 : check.phaseBytes }

    func socketKind(for endpoint: Endpoint) -> SocketKind {
        switch (request.target.peer, endpoint) {
        case (.unix(let type, _), _): .unix(type)
        case (.tcp, .ip(let endpoint)):
            request.socket.mptcp ? .mptcp(endpoint.address.family) : .tcp(endpoint.address.family)
        case (.udp, .ip(let endpoint)): .udp(endpoint.address.family)
        case (.tcp, .unix), (.udp, .unix): preconditionFailure("an internet target has internet endpoints")
        }
    }
}

/// What a check depends on besides its request. A check keeps its context, so that a reload does not affect it.
public final class CheckContext: Sendable {
    /// nil if checks run with the caller's own rights, as on the command line.
    public let policy: Policy?
    /// The keys that `socket.tcp_md5` can name, 1 … 80 bytes each.
    public let md5Keys: [String: [UInt8]]
    /// What `tls.ca` and `tls.client_certificate` can name.
    public let tls: TLSMaterial

    public init(policy: Policy?, md5Keys: [String: [UInt8]] = [:], tls: TLSMaterial = TLSMaterial()) {
        self.policy = policy
        self.md5Keys = md5Keys
        self.tls = tls
    }
}

/// A check that is ready to run: decoded, validated, its patterns compiled.
///
/// The whole engine shares this one object, so that a check that waits needs little memory.
public final class PreparedCheck: Sendable {
    public let request: CheckRequest
    /// nil if the request has no dialog.
    public let dialog: Dialog?

    public init(request: CheckRequest, dialog: Dialog? = nil) {
        self.request = request
        self.dialog = dialog
    }

    /// Whether it sends the peer more than a connect does, except for TLS.
    public var asksPeer: Bool { dialog != nil || request.preset != nil }

    /// The same check with its origin.
    public func asked(by origin: RequestOrigin?) -> PreparedCheck {
        guard let origin else { return self }
        var request = request
        request.origin = origin
        return PreparedCheck(request: request, dialog: dialog)
    }
}

/// What a service answers to a check.
public enum CheckAnswer: Sendable {
    case result(CheckResult)
    /// The policy allows no address of the target. Only the log may show the reason.
    case denied(reason: DenialReason)
    /// The queue is full. This says nothing about the target.
    case overloaded
    /// The task was cancelled, or the deadline passed, before the check had its permit.
    case cancelled
}

extension Circumstances.RequestedBind {
    /// The members of `bind` that the request has.
    init(_ options: BindOptions) {
        self = []
        if options.address != nil { insert(.address) }
        if (options.port ?? 0) != 0 { insert(.port) }
        if options.interface != nil { insert(.interface) }
    }
}
