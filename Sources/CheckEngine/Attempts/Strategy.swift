internal import CheckModel
internal import SocketIO

/// How several addresses of one name are tried.
enum Strategy {
    /// One after another, until one connects. Each has an equal share of the time that is left.
    static func first(
        _ endpoints: [Endpoint], by plan: AttemptPlan, until deadline: MonotonicTime
    ) async -> [AttemptOutcome] {
        var outcomes: [AttemptOutcome] = []
        for (index, endpoint) in endpoints.enumerated() {
            let now = Clock.now()
            let left = max(deadline.since(now), 0)
            let share = now.advanced(byNanoseconds: left / Int64(endpoints.count - index))
            outcomes.append(await ConnectAttempt(plan: plan, endpoint: endpoint, deadline: share).run())
            if outcomes[index].endsCheck || Clock.now() >= deadline { break }
        }
        return outcomes
    }
}

extension AttemptOutcome {
    /// Whether no further address is tried: one connected, or nobody waits for the answer any more.
    var endsCheck: Bool {
        result.outcome.isSuccess || result.outcome == .failed(.cancelled)
    }
}
