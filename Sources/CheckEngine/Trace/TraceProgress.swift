public import CheckModel
public import NetworkTypes

/// What a trace reports while it runs.
public enum TraceEvent: Sendable {
    /// The address that is traced.
    case started(IPEndpoint)
    /// A hop, in the order of the TTLs.
    case hop(TraceHop)
    /// The answers contradicted each other. The hops begin again at TTL 1, now from one source port.
    case restarted
}

/// Reports hops in the order of their TTLs, as soon as they are known.
final class TraceProgress {
    let report: (@Sendable (TraceEvent) -> Void)?
    private var nextTTL = 1

    init(_ report: (@Sendable (TraceEvent) -> Void)?) {
        self.report = report
    }

    /// Reports the hops that can no longer change: those that answered, up to the first silent one.
    /// - Parameter others: answers of other paths, as for `hops`.
    func show(_ observations: TraceObservations, others: TraceObservations? = nil) {
        guard let report else { return }
        while observations.hasAnswer(at: nextTTL), nextTTL <= observations.end ?? .max {
            report(.hop(observations.hop(at: nextTTL, others: others)))
            nextTTL += 1
        }
    }

    func restart() {
        nextTTL = 1
        report?(.restarted)
    }

    /// Reports the hops that `show` did not.
    func finish(_ hops: [TraceHop]) {
        for hop in hops.dropFirst(nextTTL - 1) { report?(.hop(hop)) }
    }
}
