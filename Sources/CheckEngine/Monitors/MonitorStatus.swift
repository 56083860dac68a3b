public import CheckModel

/// What is known of a monitor: pure bookkeeping over its rounds.
public struct MonitorStatus: Sendable {
    public private(set) var state = MonitorState.pending
    /// When it came into that state: wall-clock time, nanoseconds since 1970.
    public private(set) var sinceNanoseconds: Int64
    /// Rounds in a row, up to the latest, that were `ok`, or that were not.
    public private(set) var consecutiveCount = 0
    /// The latest round in full.
    public private(set) var lastResult: CheckResult?
    public private(set) var history = MonitorHistory()
    /// Rounds that were left out: the service had no room for a check, which says nothing about the target.
    public private(set) var skippedCount = 0

    init(nowNanoseconds: Int64) {
        sinceNanoseconds = nowNanoseconds
    }

    /// Takes a round's result.
    /// - Returns: whether the state is another one now.
    mutating func note(_ result: CheckResult, of definition: MonitorDefinition) -> Bool {
        let isSame = lastResult?.ok == result.ok
        consecutiveCount = isSame ? consecutiveCount + 1 : 1
        lastResult = result
        history.append(result)
        let needed = result.ok ? definition.upAfter : definition.downAfter
        let wanted: MonitorState = result.ok ? .up : .down
        guard state != wanted, consecutiveCount >= needed else { return false }
        state = wanted
        sinceNanoseconds = result.startedAtNanoseconds
        return true
    }

    mutating func noteSkipped() {
        skippedCount += 1
    }
}
