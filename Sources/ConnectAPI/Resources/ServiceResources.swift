import CheckEngine
import HTTPServer
import Logging
import Synchronization

/// All resources, under one set of settings: a request keeps those that were in force when it came.
final class ServiceResources: Sendable {
    private let parts: ServiceParts
    private let settings: ServiceSettings
    private let checks: CheckResource
    private let probe: CheckResource
    private let routes: RoutesResource
    private let blackboxProbe: BlackboxProbeResource
    private let blackboxReload: BlackboxReloadResource

    init(parts: ServiceParts, settings: ServiceSettings) {
        self.parts = parts
        self.settings = settings
        checks = CheckResource(.body, parts: parts, settings: settings)
        probe = CheckResource(.query, parts: parts, settings: settings)
        routes = RoutesResource(parts: parts, settings: settings)
        blackboxProbe = BlackboxProbeResource(parts: parts, settings: settings)
        blackboxReload = BlackboxReloadResource(blackbox: parts.blackbox)
    }

    /// Judges a head, and finds who answers. What needs neither a body nor a wait is answered from here: no task is made for it.
    func admit(_ head: RequestHead) -> HTTPServer.Admission {
        do throws(Problem) {
            switch Gate(settings: settings).judge(head) {
            case .accept(let route, let bodyLimit): return try admit(head, to: route, bodyLimit: bodyLimit)
            case .refuse(let problem): throw problem
            }
        } catch {
            return .answer(parts.refusal(error))
        }
    }

    private func admit(
        _ head: RequestHead, to route: Route, bodyLimit: Int
    ) throws(Problem) -> HTTPServer.Admission {
        switch route {
        case .checks: try work(for: checks, bodyLimit)
        case .probe: try work(for: probe, bodyLimit)
        case .routes: try work(for: routes, bodyLimit)
        case .blackboxProbe: try work(for: blackboxProbe, bodyLimit)
        case .blackboxReload: try work(for: blackboxReload, bodyLimit)
        case .blackboxIndex: .answer(BlackboxIndex.page(of: parts.blackbox.history))
        case .blackboxConfig: .answer(BlackboxResource.config(settings.modules))
        case .blackboxLogs: .answer(parts.blackbox.logs(head))
        case .blackboxHealth: .answer(BlackboxResource.healthy)
        case .errors: .answer(try CatalogueResource.list(head))
        case .error(let name): .answer(try CatalogueResource.entry(name, head))
        case .live: .answer(try HealthResource.live(head))
        case .ready: .answer(try HealthResource.ready(head, parts, inFull: Gate(settings: settings).mayKnow(head)))
        case .metrics: .answer(try MetricsResource.text(head, parts, under: settings))
        case .monitors: .answer(try MonitorResource.list(head, parts, by: encoder))
        case .monitor(let name): .answer(try MonitorResource.entry(name, head, of: parts.monitors, by: encoder))
        case .specificationYAML: .answer(try SpecificationResource.yaml(head))
        case .specificationJSON: .answer(try SpecificationResource.json(head))
        case .docs: .answer(try SpecificationResource.page(head))
        }
    }

    /// What the service is there for, and what one that stops refuses.
    private func work(
        for responder: any RequestResponder, _ bodyLimit: Int
    ) throws(Problem) -> HTTPServer.Admission {
        if let problem = parts.draining.problem { throw problem }
        return .accept(bodyLimit: bodyLimit, by: responder)
    }

    private var encoder: ResultEncoder { ResultEncoder(prober: settings.prober) }
}

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

    /// - Parameter context: the context of monitors, asked for at each round.
    init(
        pool: WorkerPool, memory: MemoryBudget, version: String, logger: Logger,
        context: @escaping @Sendable () -> CheckContext
    ) {
        let metrics = ServiceMetrics(workerCount: pool.workers.count)
        self.pool = pool
        self.memory = memory
        documents = DocumentBudget(memory: memory)
        self.version = version
        self.metrics = metrics
        journal = CheckJournal(metrics: metrics, logger: logger)
        monitors = MonitorSet(
            pool: pool, context: context, observer: MonitorJournal(metrics: metrics, logger: logger))
    }

    /// What runs the checks of requests that arrive on this worker.
    func service(on worker: Int) -> LocalCheckService {
        LocalCheckService(pool, worker: worker, isBalanced: true)
    }

    /// The answer of a request that is not done, counted.
    func refusal(_ problem: Problem) -> Response {
        metrics.noteRejection(problem.kind)
        return ResponseFactory.problem(problem)
    }
}

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
