internal import CheckModel

/// Which server is asked when, for one question: pure bookkeeping, times in nanoseconds.
///
/// Servers are asked in order, the next one as soon as the one before failed, or has been silent for a step. An answer
/// that comes late still counts. A step is at most 400 ms and short enough that each server is asked once within the
/// time that is left; it doubles with each round. Whoever has answered with a failure is not asked again.
struct TrySchedule {
    private static let longestStep: Int64 = 400_000_000
    private static let shortestStep: Int64 = 2_000_000

    private let rounds: Int
    private var failures: [ResolveFailure?]
    private var round = 0
    private var position = 0
    private var step = longestStep

    init(servers: Int, rounds: Int) {
        self.rounds = rounds
        failures = Array(repeating: nil, count: servers)
    }

    /// Fits the step to somebody who waits for that long.
    /// - Returns: whether it became shorter.
    mutating func fit(into remaining: Int64) -> Bool {
        let share = max(remaining / Int64(failures.count + 1), Self.shortestStep)
        guard share < step else { return false }
        step = share
        return true
    }

    /// The server to ask now; nil when nobody is left to ask.
    mutating func next() -> Int? {
        while round < rounds {
            while position < failures.count {
                defer { position += 1 }
                if failures[position] == nil { return position }
            }
            position = 0
            round += 1
        }
        return nil
    }

    /// Whether nobody is left to ask.
    var isExhausted: Bool { round >= rounds }

    /// How long the server asked last may be silent before the next one is asked.
    var patience: Int64 { step << Int64(min(round, 8)) }

    /// Takes note of a failure.
    /// - Returns: whether a server that was not asked yet is there to be asked at once.
    mutating func failed(_ server: Int, with failure: ResolveFailure) -> Bool {
        if failure != .timeout { failures[server] = failure }
        return round == 0 && position < failures.count
    }

    /// Whether every server has said something, so that nobody is left to wait for.
    var everyServerFailed: Bool { failures.allSatisfy { $0 != nil } }

    /// What the servers' failures come to; silence where a server said nothing.
    var failure: ResolveFailure {
        failures.map { $0 ?? .timeout }.max { $0.rankAmongServers < $1.rankAmongServers } ?? .unreachable
    }
}
