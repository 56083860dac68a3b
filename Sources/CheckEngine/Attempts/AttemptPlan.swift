internal import CheckModel
internal import SocketIO

/// What all attempts of one check have in common.
struct AttemptPlan: Sendable {
    let request: CheckRequest
    let dialog: Dialog?
    let md5Key: [UInt8]?
    let reactor: Reactor
    /// When the check began, behind the queue: attempts are dated from here.
    let start: MonotonicTime

    /// The circumstances that the classification starts from.
    func circumstances(in phase: Phase, of endpoint: Endpoint) -> Circumstances {
        var circumstances = Circumstances(phase: phase, transport: .init(request.target.peer))
        circumstances.requestedBind = .init(request.bind)
        circumstances.signsWithMD5 = md5Key != nil
        if case .ip(let endpoint) = endpoint { circumstances.destination = endpoint.address }
        circumstances.source = request.bind.address
        return circumstances
    }

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

/// One attempt's result, with the dialog that was held on it.
struct AttemptOutcome: Sendable {
    var result: AttemptResult
    var dialog: DialogReport?
    /// How much of the duration the dialog took, nanoseconds.
    var dialogNanoseconds: Int64 = 0
}
