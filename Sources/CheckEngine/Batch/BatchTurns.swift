internal import SocketIO
import Synchronization

/// Divides the turns of one worker among its batches. Used on the worker's thread, except for `add` and `remove`.
///
/// A turn starts only a few checks of batches, however many wait. So a turn is short, and a single check that arrives
/// waits for a few others at most, and for fewer once it is known that there are single checks. Checks that take longer
/// than a turn add up over the turns, up to the concurrency of the batch: only as many are in flight as are needed to
/// keep the worker busy.
final class BatchTurns: Sendable {
    /// Checks of all batches that one turn starts.
    static let startsOfTurn = 8
    /// The same while there are single checks: each of them takes a few turns.
    static let startsOfSharedTurn = 1
    /// How many turns a single check counts.
    private static let sharedTurns: UInt64 = 512

    /// How long a turn may start checks, in nanoseconds; some checks are expensive to start.
    static let longestNanoseconds: Int64 = 500_000

    private let batches = Atomic<Int>(0)
    private let lastPlace = Atomic<UInt64>(0)
    /// The turn of the last single check.
    private let lastSingleCheck = Atomic<UInt64>(0)

    /// - Returns: the place of the batch, for `starts`.
    func add() -> UInt64 {
        batches.add(1, ordering: .relaxed)
        return lastPlace.add(1, ordering: .relaxed).newValue
    }

    func remove() {
        batches.subtract(1, ordering: .relaxed)
    }

    /// Notes a check that is not one of a batch.
    func noteSingleCheck(inTurn turn: UInt64) {
        lastSingleCheck.store(turn, ordering: .relaxed)
    }

    /// How many checks a batch may start in a turn.
    func starts(at place: UInt64, inTurn turn: UInt64) -> Int {
        let isShared = turn &- lastSingleCheck.load(ordering: .relaxed) < Self.sharedTurns
        return Self.starts(
            isShared ? Self.startsOfSharedTurn : Self.startsOfTurn, of: batches.load(ordering: .relaxed), at: place,
            inTurn: turn)
    }

    /// An equal part for each batch. If there are more batches than starts, each has one in some turns.
    static func starts(_ all: Int, of batches: Int, at place: UInt64, inTurn turn: UInt64) -> Int {
        guard batches > all else { return all / max(batches, 1) }
        let groups = UInt64((batches + all - 1) / all)
        return (turn &+ place) % groups == 0 ? 1 : 0
    }
}
