import CheckModel

/// How the command line judges a result.
enum CheckVerdict: Hashable {
    case ok
    case failed
    /// A datagram socket has its peer, and nothing was heard from it. That says nothing about the peer, so that only a request
    /// that names `associated` takes it for a success.
    case unverified

    init(_ result: CheckResult, of request: CheckRequest) {
        if result.isUnverified(request) {
            self = .unverified
        } else {
            self = result.ok ? .ok : .failed
        }
    }
}

extension CheckResult {
    /// Whether nothing was heard from the peer, and the request does not ask for just that.
    func isUnverified(_ request: CheckRequest) -> Bool {
        guard ok, outcome == .associated else { return false }
        switch request.expectation {
        case .oneOf(let outcomes): return !outcomes.contains(.associated)
        case .transportSuccess, .not: return true
        }
    }
}

/// What is said about a datagram socket that heard nothing.
enum Unverified {
    static func reason(_ target: Target) -> String {
        switch target.peer {
        case .udp: "not verified: UDP has no handshake"
        case .tcp, .unix: "not verified: datagram sockets have no handshake"
        }
    }

    /// - Parameter acceptance: the flag by which the caller accepts it.
    static func hint(acceptance: String) -> String {
        """
        No answer was asked for, so nothing is known about the peer: give --send and --match with a question that it must \
        answer, or \(acceptance).
        """
    }
}
