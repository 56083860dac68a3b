internal import CheckEngine
internal import NetworkTypes
internal import SocketIO
import Synchronization

/// The state of a graceful shutdown: first it is announced, then new work is refused.
final class Draining: Sendable {
    private struct Batches {
        var running: [Int: BatchRun] = [:]
        var lastNumber = 0
        /// When checks in flight are cancelled; nil while new work is accepted.
        var deadline: MonotonicTime?
    }

    private let announced = Atomic<Bool>(false)
    private let refusesWork = Atomic<Bool>(false)
    private let batches = Mutex(Batches())

    /// How long before the end of the shutdown a batch cancels the checks in flight, so that their results and the summary
    /// can be sent.
    private static let reserveMilliseconds = 1000

    func announce() {
        announced.store(true, ordering: .relaxed)
    }

    /// - Parameter deadline: the end of the shutdown.
    func refuseNewWork(until deadline: MonotonicTime) {
        refusesWork.store(true, ordering: .relaxed)
        let now = Clock.now()
        let reserve = min(Int(deadline.since(now) / 4_000_000), Self.reserveMilliseconds)
        let end = max(deadline.advanced(byMilliseconds: -reserve), now)
        let running = batches.withLock { batches in
            batches.deadline = end
            return Array(batches.running.values)
        }
        for batch in running { batch.stop(cancelingAt: end) }
    }

    var isAnnounced: Bool { announced.load(ordering: .relaxed) }

    /// Why new work is refused; nil while it is accepted.
    var problem: Problem? {
        guard refusesWork.load(ordering: .relaxed) else { return nil }
        return Problem(.draining, "the service is stopping", headers: [Problem.retryAfter])
    }

    /// Stops a batch when new work is refused, at once if it is already.
    /// - Returns: a number for `remove`.
    func add(_ batch: BatchRun) -> Int {
        let (number, deadline) = batches.withLock { batches in
            batches.lastNumber += 1
            batches.running[batches.lastNumber] = batch
            return (batches.lastNumber, batches.deadline)
        }
        if let deadline { batch.stop(cancelingAt: deadline) }
        return number
    }

    /// Batches that run.
    var batchCount: Int { batches.withLock { $0.running.count } }

    func remove(_ number: Int) {
        batches.withLock { $0.running[number] = nil }
    }
}
