internal import ErrorCatalogue

/// The schedule of tries for one query: which server to ask and when. Times are in nanoseconds; it does no I/O.
///
/// Servers are asked in order, the next one as soon as the previous one failed or was silent for a step. A late answer
/// still counts. A step is at most 400 ms, and short enough to ask each server once in the remaining time; it doubles
/// with each round. A server that failed is not asked again, except once after a surprising failure.
struct TrySchedule {
    /// What to do after a failure.
    enum Step: Hashable, Sendable {
        /// Ask the next server at once: it was not asked yet.
        case askNow
        /// Ask the same servers again after `patience`.
        case askSoon
        /// Ask no server because of it.
        case wait
    }

    private static let longestStep: Int64 = 400_000_000
    private static let shortestStep: Int64 = 2_000_000
    /// The wait before a server that became unreachable is asked again.
    private static let longestPause: Int64 = 100_000_000

    private let rounds: Int
    private var failures: [ResolveFailure?]
    /// The servers to query again although they failed, and all that were ever in that state.
    private var surprises: Set<Int> = []
    private var secondChances: Set<Int> = []
    private var shortage: ResolveFailure?
    private var round = 0
    private var position = 0
    private var step = longestStep

    init(servers: Int, rounds: Int) {
        self.rounds = rounds
        failures = Array(repeating: nil, count: servers)
    }

    /// Adapts the step to a lookup with that much time left.
    /// - Returns: whether it became shorter.
    mutating func fit(into remaining: Int64) -> Bool {
        let share = max(remaining / Int64(failures.count + 1), Self.shortestStep)
        guard share < step else { return false }
        step = share
        return true
    }

    /// Returns the server to ask now; nil if no server is left.
    mutating func next() -> Int? {
        while round < rounds {
            while position < failures.count {
                defer { position += 1 }
                if failures[position] == nil { return position }
                if surprises.remove(position) != nil {
                    failures[position] = nil
                    return position
                }
            }
            position = 0
            round += 1
        }
        return nil
    }

    /// Whether no server is left to ask.
    var isExhausted: Bool { round >= rounds }

    /// How long the latest server may be silent before the next one is asked.
    var patience: Int64 {
        let patience = step << Int64(min(round, 8))
        return everyServerFailed && !surprises.isEmpty ? min(patience / 4, Self.longestPause) : patience
    }

    /// Records a failure.
    /// - Parameter isSurprise: whether the server may be queried again.
    mutating func failed(_ server: Int, with failure: ResolveFailure, isSurprise: Bool = false) -> Step {
        switch failure {
        // Neither says anything about the server: it may be asked again.
        case .timeout: break
        case .shortage: shortage = failure
        case .nxdomain, .noData, .serverFailure, .refused, .formatError, .notImplemented, .responseCode, .unreachable,
            .badAnswer, .cancelled:
            failures[server] = failure
        }
        let mayComeAgain = isSurprise && round + 1 < rounds
        if mayComeAgain, secondChances.insert(server).inserted { surprises.insert(server) }
        if round == 0, position < failures.count { return .askNow }
        return everyServerFailed && !surprises.isEmpty ? .askSoon : .wait
    }

    /// Notes that an answer could not be received, or a question not be sent, for a reason here.
    mutating func note(shortage error: ResolveFailure) {
        shortage = error
    }

    /// Whether every server has answered or failed, so that there is nothing left to wait for.
    private var everyServerFailed: Bool { failures.allSatisfy { $0 != nil } }

    /// Whether every server failed, and none is asked again.
    var isOver: Bool { everyServerFailed && surprises.isEmpty }

    /// The failure if no server has answered.
    var silence: ResolveFailure { shortage ?? .timeout }

    /// The combined failure of the servers; silence if a server has not answered.
    var failure: ResolveFailure {
        failures.map { $0 ?? silence }.max { $0.rankAmongServers < $1.rankAmongServers } ?? .unreachable
    }
}
