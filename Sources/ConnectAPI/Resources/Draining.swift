internal import Synchronization

/// How far the service is on its way to stop: first it says so, then it takes no new work.
final class Draining: Sendable {
    private let announced = Atomic<Bool>(false)
    private let refusesWork = Atomic<Bool>(false)

    func announce() {
        announced.store(true, ordering: .relaxed)
    }

    func refuseNewWork() {
        refusesWork.store(true, ordering: .relaxed)
    }

    var isAnnounced: Bool { announced.load(ordering: .relaxed) }

    /// Why no new work is taken; nil while it is.
    var problem: Problem? {
        guard refusesWork.load(ordering: .relaxed) else { return nil }
        return Problem(.draining, "the service is stopping", headers: [Problem.retryAfter])
    }
}
