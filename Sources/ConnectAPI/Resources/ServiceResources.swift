internal import AccessPolicy
package import CheckEngine
internal import Configuration
package import HTTPServer
internal import Logging
package import Metrics

/// The resources under one set of settings. A request keeps the set that was current when it arrived.
final class ServiceResources: Sendable {
    private let parts: ServiceParts
    private let gate: Gate
    /// The resources for tokens with another policy profile.
    private let variants: [Policy.Profile: ServiceResources]

    init(parts: ServiceParts, settings: ServiceSettings) {
        self.parts = parts
        let added = settings.extensions.flatMap { $0.routes(of: parts, under: settings) }
        gate = Gate(settings: settings, routes: RouteTable(Self.routes(of: parts, under: settings) + added))
        variants = settings.variants.mapValues { ServiceResources(parts: parts, settings: $0) }
    }

    /// The settings for requests without a token of another profile.
    var settings: ServiceSettings { gate.settings }

    /// Judges a head and finds the handler. Answers that need neither a body nor a wait come from here, without a task.
    func admit(_ head: RequestHead) -> HTTPServer.Admission {
        if let variant = variant(for: head) { return variant.admit(head) }
        do throws(Problem) {
            let match = try gate.judge(head)
            switch match.route.handler {
            case .answer(let respond): return .answer(try respond(head))
            case .answerNamed(let respond): return .answer(try respond(match.parameter, head))
            case .work(let responder):
                if let problem = parts.draining.problem { throw problem }
                // An operator's reload is not the work of a client.
                if match.route.scope != .admin {
                    try gate.settings.limitedClient(of: head, in: parts)?.beginRequest()
                }
                return .accept(bodyLimit: match.route.bodyLimit, by: responder)
            }
        } catch {
            return .answer(parts.refusal(error))
        }
    }

    private func variant(for head: RequestHead) -> ServiceResources? {
        guard !variants.isEmpty, case .valid(let token) = gate.settings.clientToken(of: head) else { return nil }
        return token.profile.flatMap { variants[$0] }
    }
}

extension ServiceResources {
    /// The longest body of one check, in bytes.
    static let checkBodyBytes = 65536

    /// The route table. Frequent paths come first.
    private static func routes(of parts: ServiceParts, under settings: ServiceSettings) -> [Route] {
        let encoder = ResultEncoder(prober: settings.prober)
        return [
            Route(
                .post, "/v1/checks", scope: .checks, body: .json(limit: checkBodyBytes),
                .work(CheckResource(.body, parts: parts, settings: settings))),
            Route(
                .post, "/v1/checks/batch", scope: .checks, body: .json(limit: settings.bodyBytes),
                .work(BatchResource(parts: parts, settings: settings))),
            Route(.get, "/v1/probe", scope: .probe, .work(CheckResource(.query, parts: parts, settings: settings))),
            Route(
                .get, "/livez", access: .anyone, listeners: .serviceAndHealth,
                .answer { head throws(Problem) in try HealthResource.live(head, parts) }),
            Route(
                .get, "/readyz", access: .anyone, listeners: .serviceAndHealth,
                .answer { head throws(Problem) in
                    try HealthResource.ready(head, parts, inFull: settings.authorizes(head))
                }),
            Route(
                .post, "/v1/routes", scope: .checks, body: .json(limit: settings.bodyBytes),
                .work(RoutesResource(parts: parts, settings: settings))),
            Route(
                .post, "/v1/diagnoses", scope: .checks, body: .json(limit: checkBodyBytes),
                .work(DiagnosisResource(parts: parts, settings: settings))),
            Route(
                .get, "/metrics", scope: .metrics, listeners: .serviceAndHealth,
                .answer { head throws(Problem) in try MetricsResource.text(head, parts, under: settings) }),
            Route(.get, "/v1/errors", .answer(CatalogueResource.list)),
            Route(.get, "/v1/errors/{name}", .answerNamed(CatalogueResource.entry)),
            Route(
                .get, "/v1/monitors", scope: .metrics,
                .answer { head throws(Problem) in try MonitorResource.list(head, parts, by: encoder) }),
            Route(
                .get, "/v1/monitors/{name}", scope: .metrics,
                .answerNamed { name, head throws(Problem) in
                    try MonitorResource.entry(name, head, of: parts.monitors, by: encoder)
                }),
            Route(.get, "/openapi.yaml", .answer(SpecificationResource.yaml)),
            Route(.get, "/openapi.json", .answer(SpecificationResource.json)),
            Route(.get, "/docs", .answer(SpecificationResource.page)),
        ]
    }
}

/// Resources and metrics that another module adds to the service.
package protocol ServiceExtension: Sendable {
    /// The rows that it adds to the route table; called for each new set of settings.
    func routes(of parts: ServiceParts, under settings: ServiceSettings) -> [Route]

    /// Appends its metric families to `/metrics`.
    func writeMetrics(to writer: inout ExpositionWriter)
}

/// What all resources share for the life of the service, under all settings.
package final class ServiceParts: Sendable {
    package let pool: WorkerPool
    package let metrics: ServiceMetrics
    package let journal: CheckJournal
    let monitors: MonitorSet
    /// Accounts for the memory that clients can make the service hold.
    package let memory: MemoryBudget
    let connections: ConnectionCount
    package let documents: DocumentBudget
    let metricsPace = MetricsPace()
    let clients: ClientTable
    let clientJournal: ClientJournal
    let draining = Draining()
    /// The version of connectd.
    let version: String

    /// - Parameter context: the context of monitors, asked for at each round.
    init(
        pool: WorkerPool, memory: MemoryBudget, connections: ConnectionCount, version: String, logger: Logger,
        context: @escaping @Sendable () -> CheckContext
    ) {
        let metrics = ServiceMetrics(workerCount: pool.workers.count)
        self.pool = pool
        self.memory = memory
        self.connections = connections
        documents = DocumentBudget(memory: memory)
        clients = ClientTable(limitBytes: memory.limitBytes / 16)
        clientJournal = ClientJournal(table: clients, logger: logger)
        self.version = version
        self.metrics = metrics
        journal = CheckJournal(metrics: metrics, logger: logger)
        monitors = MonitorSet(
            pool: pool, context: context, observer: MonitorJournal(metrics: metrics, logger: logger))
    }

    /// What runs the checks of requests that arrive on this worker.
    package func service(on worker: Int) -> LocalCheckService {
        LocalCheckService(pool, worker: worker, isBalanced: true)
    }

    /// Makes the answer of a refused request, and counts the refusal.
    package func refusal(_ problem: Problem) -> Response {
        metrics.noteRejection(problem.kind)
        return ResponseFactory.problem(problem)
    }
}
