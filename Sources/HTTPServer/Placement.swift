internal import Synchronization

/// Gives each connection to the worker with the fewest connections, up to the limit.
final class Placement: Sendable {
    private let workers: [HTTPWorker]
    private let healthLimit: Int
    private let serviceLimit: Int
    private let next = Atomic<Int>(0)

    /// - Parameter hasHealthListener: whether a share of the connections is reserved for health listeners.
    init(workers: [HTTPWorker], limits: HTTPLimits, hasHealthListener: Bool) {
        self.workers = workers
        healthLimit = limits.healthShare
        serviceLimit = hasHealthListener ? limits.serviceShare : limits.connections
    }

    func hasRoom(for purpose: Listener.Purpose) -> Bool {
        let health = workers.reduce(0) { $0 + $1.healthLoad.load(ordering: .relaxed) }
        switch purpose {
        case .health: return health < healthLimit
        case .service: return workers.reduce(0) { $0 + $1.load.load(ordering: .relaxed) } - health < serviceLimit
        }
    }

    func adopt(_ connection: AcceptedConnection) {
        leastLoaded().adopt(connection)
    }

    /// Ends every TLS connection, after its current request.
    func retireHTTPS() async {
        for worker in workers { await worker.retireHTTPS() }
    }

    /// The worker with the fewest connections; round-robin among equals.
    private func leastLoaded() -> HTTPWorker {
        let start = next.load(ordering: .relaxed)
        var best = start
        for offset in 1..<workers.count + 1 {
            let candidate = (start + offset) % workers.count
            if workers[candidate].load.load(ordering: .relaxed) < workers[best].load.load(ordering: .relaxed) {
                best = candidate
            }
        }
        next.store((best + 1) % workers.count, ordering: .relaxed)
        return workers[best]
    }
}
