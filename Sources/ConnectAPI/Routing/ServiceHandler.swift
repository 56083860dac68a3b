package import CheckEngine
internal import CheckModel
package import HTTPServer
package import Logging
internal import Metrics
internal import SocketIO
internal import StrictJSON
internal import Synchronization

/// The resources of the service.
package final class ServiceHandler: RequestHandler {
    private let pool: WorkerPool
    private let settings: SettingsBox
    private let metrics: ServiceMetrics
    private let monitors: MonitorSet
    private let version: String
    private let blackbox = BlackboxService()
    private let documents = DocumentBudget()
    private let logger: Logger
    private let draining = Atomic<Bool>(false)
    private let refusesWork = Atomic<Bool>(false)
    private let checks = Atomic<UInt64>(0)

    /// - Parameter version: connectd's own, for `/metrics`.
    package init(pool: WorkerPool, settings: ServiceSettings, version: String, logger: Logger) {
        let box = SettingsBox(settings)
        let metrics = ServiceMetrics(workerCount: pool.workers.count)
        self.pool = pool
        self.settings = box
        self.metrics = metrics
        self.version = version
        self.logger = logger
        monitors = MonitorSet(
            pool: pool, surroundings: { box.current.surroundings },
            observer: MonitorJournal(metrics: metrics, logger: logger))
    }

    /// Puts new settings in force, for requests that come from now on.
    package func replaceSettings(_ settings: ServiceSettings) {
        self.settings.replace(with: settings)
    }

    /// Begins these monitors, and ends those that are not among them; one that is the same goes on.
    package func replaceMonitors(with definitions: [MonitorDefinition]) {
        monitors.replace(with: definitions)
    }

    /// Ends all monitors for good.
    package func stopMonitors() {
        monitors.stop()
    }

    /// Makes `/readyz` fail, and nothing else: load balancers look there before they stop sending.
    package func announceDraining() {
        draining.store(true, ordering: .relaxed)
    }

    /// Answers new work with 503 from here on. What was accepted is not touched, and the other resources answer still.
    package func refuseNewWork() {
        refusesWork.store(true, ordering: .relaxed)
    }

    /// What `/-/reload` does: it reads the configuration again, and gives the reason where nothing has changed by that.
    package func offerReload(_ reload: (@Sendable () -> String?)?) {
        blackbox.offerReload(reload)
    }

    /// How many checks were asked for so far.
    package var checkCount: UInt64 { checks.load(ordering: .relaxed) }

    private var current: ServiceSettings { settings.current }

    // MARK: RequestHandler

    package func admit(_ head: RequestHead) -> HTTPServer.Admission {
        switch Gate(settings: current).judge(head) {
        case .accept(let route, let bodyLimit):
            // What needs neither a body nor a wait is answered from here: no task is made for it.
            guard route.isWork else { return .answer(document(of: route, for: head)) }
            guard refusesWork.load(ordering: .relaxed) else { return .accept(bodyLimit: bodyLimit) }
            return .answer(refusal(Problem(.draining, "the service is stopping", headers: [Self.retryAfter])))
        case .refuse(let problem): return .answer(refusal(problem))
        }
    }

    /// The answer of a request that is not done, counted.
    private func refusal(_ problem: Problem) -> Response {
        metrics.noteRejection(problem.kind)
        return ResponseFactory.problem(problem)
    }

    package func problem(status: Int, detail: String) -> Response {
        let kind = Problem.Kind.allCases.first { $0.status == status } ?? .badRequest
        let headers = kind.status == 503 ? [Self.retryAfter] : []
        return refusal(Problem(kind, detail, headers: headers))
    }

    package func respond(to request: Request, on worker: Int) async -> Response {
        switch Route(request.head) {
        case .checks: return await check(request, on: worker)
        case .probe: return await probe(request, on: worker)
        case .routes: return routes(request)
        case .blackboxProbe: return await blackboxProbe(request, on: worker)
        case .blackboxReload: return await blackbox.reload()
        case .errors, .error, .monitors, .monitor, .live, .ready, .metrics, .specificationYAML, .specificationJSON,
            .blackboxConfig, .blackboxLogs, .blackboxHealth, .docs, nil:
            return problem(status: 404, detail: "there is no such resource")
        }
    }

    @inline(never)
    private func document(of route: Route, for head: RequestHead) -> Response {
        do throws(Problem) {
            switch route {
            case .checks, .probe, .routes, .blackboxProbe, .blackboxReload:
                return problem(status: 404, detail: "there is no such resource")
            case .blackboxConfig: return BlackboxResource.config(current.modules)
            case .blackboxLogs: return blackbox.logs(head)
            case .blackboxHealth: return BlackboxResource.healthy
            case .errors: return try CatalogueResource.list(head)
            case .error(let name): return try CatalogueResource.entry(name, head)
            case .live: return try HealthResource.live(head)
            case .ready: return try ready(head)
            case .metrics: return try metricsText(head)
            case .monitors: return try MonitorResource.list(monitors, head, by: resultEncoder, within: documents)
            case .monitor(let name): return try MonitorResource.entry(name, of: monitors, head, by: resultEncoder)
            case .specificationYAML: return try SpecificationResource.yaml(head)
            case .specificationJSON: return try SpecificationResource.json(head)
            case .docs: return try SpecificationResource.page(head)
            }
        } catch {
            return refusal(error)
        }
    }

    private var resultEncoder: ResultEncoder { ResultEncoder(prober: current.prober) }

    private func ready(_ head: RequestHead) throws(Problem) -> Response {
        let readiness = Readiness(isDraining: draining.load(ordering: .relaxed), monitors: monitors.monitors)
        return try HealthResource.ready(head, readiness, inFull: Gate(settings: current).mayKnow(head))
    }

    private func metricsText(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        let document = MetricsDocument(metrics: metrics, pool: pool, monitors: monitors.monitors, version: version)
        let format = ExpositionFormat(accept: head.header("accept"))
        let text = try documents.lend { () throws(Problem) in document.text(in: format) }
        return ResponseFactory.text(sharing: text, as: format.contentType)
    }

    static let retryAfter: (name: String, value: String) = ("Retry-After", "1")
}

// What each resource does.
extension ServiceHandler {
    private func check(_ request: Request, on index: Int) async -> Response {
        let settings = current
        switch prepareCheck(request, under: settings) {
        case .failure(let problem): return refusal(problem)
        case .success(let check):
            let answer = await run(check, on: index, under: settings)
            return response(answer, to: check, on: index, under: settings)
        }
    }

    private func probe(_ request: Request, on index: Int) async -> Response {
        let settings = current
        switch prepareProbe(request, under: settings) {
        case .failure(let problem): return refusal(problem)
        case .success(let check):
            let answer = await run(check, on: index, under: settings)
            return probeResponse(answer, to: check, on: index, under: settings)
        }
    }

    private func blackboxProbe(_ request: Request, on index: Int) async -> Response {
        let settings = current
        switch prepareBlackbox(request, under: settings) {
        case .answer(let response): return response
        case .denied(let check, let probe):
            metrics.noteDenied(on: index, for: check.origin?.client)
            logger.info("denied by policy", metadata: metadata(of: check, ["reason": "its module has a dialog"]))
            return blackbox.deny(check, to: probe, request.head)
        case .check(let check, let probe):
            let answer = await run(check, on: index, under: settings)
            return blackboxResponse(answer, to: check, of: probe, request.head, on: index)
        }
    }

    @inline(never)
    private func routes(_ request: Request) -> Response {
        let settings = current
        do throws(Problem) {
            try QueryRule.acceptNone(request.head)
            let destinations = try BodyDecoder.destinations(request.body)
            let answers = RouteFinder.routes(to: destinations.map(\.address), under: settings.surroundings)
            return ResponseFactory.json(
                RoutesEncoder.document(answers, as: destinations.map(\.text), hidesLocal: settings.prober == nil))
        } catch {
            return refusal(error)
        }
    }

    private func run(
        _ check: PreparedCheck, on index: Int, under settings: ServiceSettings
    ) async -> CheckTask.Answer {
        let worker = pool.worker(for: index)
        return worker.reactor.thread.index == index
            ? await CheckTask.run(check, by: worker, admission: pool.admission, under: settings.surroundings)
            : await CheckTask.hand(check, to: worker, admission: pool.admission, under: settings.surroundings)
    }

    // Not inlined: the frames of the functions above live as long as their check, and would have to hold what these need.

    @inline(never)
    private func prepareCheck(
        _ request: Request, under settings: ServiceSettings
    ) -> Result<PreparedCheck, Problem> {
        Result { () throws(Problem) in
            try QueryRule.acceptNone(request.head)
            let check = try BodyDecoder.check(request.body, under: settings)
                .asked(by: OriginReader.origin(of: request.head, tokens: settings.tokens))
            try refuse(check, by: settings)
            return check
        }
    }

    @inline(never)
    private func prepareProbe(
        _ request: Request, under settings: ServiceSettings
    ) -> Result<PreparedCheck, Problem> {
        Result { () throws(Problem) in
            let check = try ProbeDecoder.decode(
                request.head, maximumTimeoutMilliseconds: settings.maximumTimeoutMilliseconds
            ).asked(by: OriginReader.origin(of: request.head, tokens: settings.tokens))
            try refuse(check, by: settings)
            return check
        }
    }

    @inline(never)
    private func prepareBlackbox(_ request: Request, under settings: ServiceSettings) -> BlackboxService.Preparation {
        let preparation = blackbox.prepare(request.head, under: settings)
        switch preparation {
        case .check, .denied: checks.add(1, ordering: .relaxed)
        case .answer(let response): if response.status == 400 { metrics.noteRejection(.badRequest) }
        }
        return preparation
    }

    @inline(never)
    private func blackboxResponse(
        _ answer: CheckTask.Answer, to check: PreparedCheck, of probe: BlackboxProbe, _ head: RequestHead, on index: Int
    ) -> Response {
        do throws(Problem) {
            return blackbox.answer(try conclude(answer, of: check.request, on: index), to: probe, head)
        } catch {
            // A denial is a probe that failed; an overload is none.
            guard error.kind == .denied else { return refusal(error) }
            return blackbox.deny(check.request, to: probe, head)
        }
    }

    @inline(never)
    private func response(
        _ answer: CheckTask.Answer, to check: PreparedCheck, on index: Int, under settings: ServiceSettings
    ) -> Response {
        do throws(Problem) {
            let result = try conclude(answer, of: check.request, on: index)
            return ResponseFactory.json(ResultEncoder(prober: settings.prober).line(result, of: check.request))
        } catch {
            return refusal(error)
        }
    }

    @inline(never)
    private func probeResponse(
        _ answer: CheckTask.Answer, to check: PreparedCheck, on index: Int, under settings: ServiceSettings
    ) -> Response {
        do throws(Problem) {
            let result = try conclude(answer, of: check.request, on: index)
            return ResponseFactory.json(
                status: ProbeVerdict.status(of: result),
                ResultEncoder(prober: settings.prober).line(result, of: check.request),
                headers: [("Connectd-Outcome", result.outcome.word)])
        } catch {
            return refusal(error)
        }
    }

    private func refuse(_ check: PreparedCheck, by settings: ServiceSettings) throws(Problem) {
        checks.add(1, ordering: .relaxed)
        let unknown = RequestPermissions.unknownNames(in: check.request, of: settings.surroundings.tls)
        guard unknown.isEmpty else { throw Problem(wrongInput: unknown) }
        let refusals = settings.permissions.refusals(
            of: check.request, md5Keys: settings.surroundings.md5Keys.keys)
        guard refusals.isEmpty else {
            throw Problem(.denied, "the policy of this prober does not allow this option", errors: refusals)
        }
    }

    private func conclude(
        _ answer: CheckTask.Answer, of request: CheckRequest, on index: Int
    ) throws(Problem) -> CheckResult {
        switch answer {
        case .answered(.result(let result)):
            metrics.note(result, on: index, for: request.origin?.client)
            log(result, of: request)
            return result
        case .answered(.denied(let reason)):
            metrics.noteDenied(on: index, for: request.origin?.client)
            logger.info("denied by policy", metadata: metadata(of: request, ["reason": "\(reason.text)"]))
            throw Problem(.denied, "the policy of this prober does not allow this target")
        case .overloaded:
            logger.info("overloaded: the queue is full", metadata: metadata(of: request))
            throw Problem(
                .overloaded, "connectd has as many checks as it may have, in flight and in the queue",
                headers: [Self.retryAfter])
        case .cancelled:
            metrics.noteCancelled(on: index, for: request.origin?.client)
            // Nobody reads this: the client is gone, or the service is stopping.
            throw Problem(.draining, "the check was cancelled", headers: [Self.retryAfter])
        }
    }

    private func log(_ result: CheckResult, of request: CheckRequest) {
        guard logger.logLevel <= .debug else { return }
        var details: Logger.Metadata = [
            "outcome": "\(result.outcome.word)", "duration_ms": "\(result.timings.total / 1_000_000)",
        ]
        if let error = result.error {
            details["error"] = "\(error.name)"
            details["fault"] = "\(error.fault.rawValue)"
        }
        logger.debug("check", metadata: metadata(of: request, details))
    }

    /// What each log line about a check has: its target, and where the request came from.
    private func metadata(of request: CheckRequest, _ details: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = details
        metadata["target"] = "\(request.target.text)"
        if let id = request.id { metadata["id"] = "\(id)" }
        if let client = request.origin?.client { metadata["client"] = "\(client)" }
        if let requestID = request.origin?.requestID { metadata["request_id"] = "\(requestID)" }
        if let traceparent = request.origin?.traceparent { metadata["traceparent"] = "\(traceparent)" }
        return metadata
    }
}
