package import CheckModel
internal import NetworkTypes

/// Rules for `hold_ms`, `half_open`, `count` and `interval_ms` together with each other and with other members.
package enum RoundsRules {
    /// One combination that makes no sense.
    private struct Rule: Sendable {
        let path: [String]
        let applies: @Sendable (CheckRequest) -> Bool
        /// What is wrong with it, and what to write instead.
        let detail: @Sendable (CheckRequest) -> String

        init(
            _ path: String..., when applies: @escaping @Sendable (CheckRequest) -> Bool,
            _ detail: @escaping @Sendable (CheckRequest) -> String
        ) {
            self.path = path
            self.applies = applies
            self.detail = detail
        }
    }

    /// Whether the request has none of these members, as most requests.
    static func areUnused(by request: CheckRequest) -> Bool {
        request.holdMilliseconds == 0 && !request.isHalfOpen && request.count == 1 && request.intervalMilliseconds == 0
    }

    package static func flaws(of request: CheckRequest) -> [ConsistencyRules.Flaw] {
        if areUnused(by: request) { return [] }
        return table.filter { $0.applies(request) }.map { ConsistencyRules.Flaw($0.path, $0.detail(request)) }
    }

    private static let table = halfOpen + holds + rounds

    private static let halfOpen = [
        Rule("half_open", when: { $0.isHalfOpen && !$0.target.isTCP }) { _ in
            "requires a TCP target: only TCP has a handshake to stop half-way"
        },
        Rule("half_open", when: { $0.isHalfOpen && ($0.tls != nil || $0.target.impliesTLS) }) { request in
            request.target.impliesTLS
                ? "excludes TLS, which needs an established connection; write tcp:// instead of tls://"
                : "excludes tls, which needs an established connection; leave one of them out"
        },
        Rule("half_open", when: { $0.isHalfOpen && !$0.dialog.isEmpty }) { _ in
            "excludes dialog, which needs an established connection; leave one of them out"
        },
        Rule("half_open", when: { $0.isHalfOpen && $0.holdMilliseconds > 0 }) { _ in
            "excludes hold_ms, which needs an established connection; leave one of them out"
        },
        Rule("half_open", when: { $0.isHalfOpen && $0.socket.tcpFastOpen }) { _ in
            "excludes socket.tcp_fast_open, which sends data with the SYN; leave one of them out"
        },
        Rule("half_open", when: { $0.isHalfOpen && $0.socket.mptcp }) { _ in
            "excludes socket.mptcp, whose handshake cannot be stopped half-way; leave one of them out"
        },
    ]

    private static let holds = [
        Rule("hold_ms", when: { Int($0.holdMilliseconds) > 0 && Int($0.holdMilliseconds) >= $0.timeoutMilliseconds }) {
            """
            must be less than timeout_ms, which limits the whole check, got \($0.holdMilliseconds) of \
            \($0.timeoutMilliseconds); raise timeout_ms, or lower hold_ms
            """
        },
        Rule("hold_ms", when: { $0.holdMilliseconds > 0 && $0.target.isUnixDatagram }) { _ in
            "has no effect on a UNIX datagram socket, which never learns that its peer closed; leave it out"
        },
    ]

    private static let rounds = [
        Rule("count", when: { $0.count > 1 && $0.longestMilliseconds > CheckRequest.longestRoundsMilliseconds }) {
            """
            is too large: count times timeout_ms plus the intervals is \($0.longestMilliseconds) ms, and the limit is \
            \(CheckRequest.longestRoundsMilliseconds); \($0.remedy)
            """
        },
        Rule("interval_ms", when: { $0.intervalMilliseconds > 0 && $0.count == 1 }) { _ in
            "has no effect without count: it is the pause between rounds; set count to 2 or more"
        },
        Rule("bind", "port", when: { $0.repeatsPortInTimeWait }) { _ in
            """
            can be used only once in a minute for the same target, unless socket.close is "rst"; set that, or leave \
            bind.port or count out
            """
        },
    ]
}

extension CheckRequest {
    /// What to change in a check that takes too long.
    fileprivate var remedy: String {
        let left = (Self.longestRoundsMilliseconds - pausesMilliseconds) / Int(count)
        return left > 0 ? "set timeout_ms to \(left) or less, or lower count" : "lower interval_ms or count"
    }

    /// Whether the second round would find its source port in TIME_WAIT.
    fileprivate var repeatsPortInTimeWait: Bool {
        count > 1 && (bind.port ?? 0) != 0 && target.isTCP && socket.close == .fin && !isHalfOpen
    }
}

extension Target {
    fileprivate var isTCP: Bool {
        if case .tcp = peer { true } else { false }
    }

    fileprivate var isUnixDatagram: Bool {
        if case .unix(.dgram, _) = peer { true } else { false }
    }
}
