internal import SocketIO
import Synchronization

/// Divides the turns of one worker among its batches. Used on the worker's thread, except for `add` and `remove`.
///
/// A turn starts only a few checks of batches, however many wait. So a turn is short, and a single check that arrives
/// waits for a few others at most. Checks that take longer than a turn add up over the turns, up to the concurrency of the
/// batch: only as many are in flight as are needed to keep the worker busy.
final class BatchTurns: Sendable {
    /// Checks of all batches that one turn starts.
    static let startsOfTurn = 4

    /// How long a turn may start checks, in nanoseconds; some checks are expensive to start.
    static let longestNanoseconds: Int64 = 500_000

    private let batches = Atomic<Int>(0)
    private let lastPlace = Atomic<UInt64>(0)

    /// - Returns: the place of the batch, for `starts`.
    func add() -> UInt64 {
        batches.add(1, ordering: .relaxed)
        return lastPlace.add(1, ordering: .relaxed).newValue
    }

    func remove() {
        batches.subtract(1, ordering: .relaxed)
    }

    /// How many checks a batch may start in a turn.
    func starts(at place: UInt64, inTurn turn: UInt64) -> Int {
        Self.starts(of: batches.load(ordering: .relaxed), at: place, inTurn: turn)
    }

    /// An equal part for each batch. If there are more batches than starts, each has one in some turns.
    static func starts(of batches: Int, at place: UInt64, inTurn turn: UInt64) -> Int {
        guard batches > startsOfTurn else { return startsOfTurn / max(batches, 1) }
        let groups = UInt64((batches + startsOfTurn - 1) / startsOfTurn)
        return (turn &+ place) % groups == 0 ? 1 : 0
    }
}
