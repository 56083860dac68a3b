internal import NetworkTypes

/// Hints that say what the kernel did with the SYNs of a connect that got no answer.
///
/// They are made once for each number of SYNs, so that a timeout does not allocate.
extension Hints {
    static let unsentQueued = """
        Check the next hop with `ip neigh` and the interface with `ip -s link`: no SYN left this machine; it still waits \
        for a neighbor's address or in a queue.
        """
    static let unsentDropped = """
        Check the prober's output rules with `nft list ruleset`, and `tc -s qdisc`: this machine dropped its own SYN, so \
        it did not leave.
        """

    static func unsent(_ reason: UnsentSYN) -> String {
        switch reason {
        case .queued: unsentQueued
        case .dropped: unsentDropped
        }
    }

    /// The largest number of SYNs that has hints of its own. A check of 60 seconds sends fewer.
    static let mostSYNs = 64

    /// - Returns: nil for no SYN, and for more than `mostSYNs`.
    static func unanswered(synCount: Int, isDeadline: Bool) -> String? {
        guard (1...mostSYNs).contains(synCount) else { return nil }
        return (isDeadline ? unansweredUntilDeadline : unansweredUntilTimeout)[synCount - 1]
    }

    /// For the check's own deadline.
    static let unansweredUntilDeadline = (1...mostSYNs).map { count in
        """
        Check for a firewall that drops packets, a dead host or a full listen backlog, or raise timeout_ms for a distant \
        or slow target: nothing answered in time (\(sent(count))).
        """
    }

    /// For ETIMEDOUT.
    static let unansweredUntilTimeout = (1...mostSYNs).map { count in
        """
        Check for a firewall that drops packets, a dead host, a broken return path or a full listen backlog (`nstat -az \
        TcpExtListenDrops`): nothing answered (\(sent(count))).
        """
    }

    static func sent(_ count: Int) -> String { count == 1 ? "1 SYN sent" : "\(count) SYNs sent" }

    /// All of them, for tests of their form.
    static let unanswered = [unsentQueued, unsentDropped] + unansweredUntilDeadline + unansweredUntilTimeout
}
