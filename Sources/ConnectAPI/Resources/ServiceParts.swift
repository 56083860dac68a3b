internal import CheckEngine
internal import HTTPServer
internal import Logging

/// What all resources share for the life of the service, whatever settings are in force.
final class ServiceParts: Sendable {
    let pool: WorkerPool
    let metrics: ServiceMetrics
    let journal: CheckJournal
    let monitors: MonitorSet
    let blackbox = BlackboxService()
    /// What clients can make the service hold.
    let memory: MemoryBudget
    let documents: DocumentBudget
    let draining = Draining()
    /// connectd's own.
    let version: String

    /// - Parameter surroundings: what monitors run under, asked for at each round.
    init(
        pool: WorkerPool, memory: MemoryBudget, version: String, logger: Logger,
        surroundings: @escaping @Sendable () -> Surroundings
    ) {
        let metrics = ServiceMetrics(workerCount: pool.workers.count)
        self.pool = pool
        self.memory = memory
        documents = DocumentBudget(memory: memory)
        self.version = version
        self.metrics = metrics
        journal = CheckJournal(metrics: metrics, logger: logger)
        monitors = MonitorSet(
            pool: pool, surroundings: surroundings, observer: MonitorJournal(metrics: metrics, logger: logger))
    }

    /// The answer of a request that is not done, counted.
    func refusal(_ problem: Problem) -> Response {
        metrics.noteRejection(problem.kind)
        return ResponseFactory.problem(problem)
    }
}
