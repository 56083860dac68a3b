package import CheckEngine
package import HTTPServer
package import Logging

/// The service as the HTTP server and the program see it: judges what comes, by the settings in force, and finds who answers.
package final class ServiceHandler: RequestHandler {
    private let parts: ServiceParts
    /// What monitors run under.
    private let surroundings: InForce<Surroundings>
    private let resources: InForce<ServiceResources>

    /// - Parameter version: connectd's own, for `/metrics`.
    package init(
        pool: WorkerPool, memory: MemoryBudget, settings: ServiceSettings, version: String, logger: Logger
    ) {
        let surroundings = InForce(settings.surroundings)
        let parts = ServiceParts(
            pool: pool, memory: memory, version: version, logger: logger, surroundings: { surroundings.current })
        self.parts = parts
        self.surroundings = surroundings
        resources = InForce(ServiceResources(parts: parts, settings: settings))
    }

    /// Puts new settings in force, for requests that come from now on.
    package func replaceSettings(_ settings: ServiceSettings) {
        surroundings.replace(with: settings.surroundings)
        resources.replace(with: ServiceResources(parts: parts, settings: settings))
    }

    /// Begins these monitors, and ends those that are not among them; one that is the same goes on.
    package func replaceMonitors(with definitions: [MonitorDefinition]) {
        parts.monitors.replace(with: definitions)
    }

    /// Ends all monitors for good; what they found is answered still.
    package func stopMonitors() {
        parts.monitors.stop()
    }

    /// Makes `/readyz` fail, and nothing else: load balancers look there before they stop sending.
    package func announceDraining() {
        parts.draining.announce()
    }

    /// Answers new work with 503 from here on. What was accepted is not touched, and the other resources answer still.
    package func refuseNewWork() {
        parts.draining.refuseNewWork()
    }

    /// What `/-/reload` does: it reads the configuration again, and gives the reason where nothing has changed by that.
    package func offerReload(_ reload: (@Sendable () -> String?)?) {
        parts.blackbox.offerReload(reload)
    }

    /// How many checks were asked for so far.
    package var checkCount: UInt64 { parts.journal.askedCount }

    // MARK: RequestHandler

    package func admit(_ head: RequestHead) -> HTTPServer.Admission {
        resources.current.admit(head)
    }

    package func problem(status: Int, detail: String) -> Response {
        let isStopping = status == 503 && parts.draining.problem != nil
        let kind = isStopping ? .draining : Problem.Kind.allCases.first { $0.status == status } ?? .badRequest
        return parts.refusal(Problem(kind, detail, headers: kind.status == 503 ? [Problem.retryAfter] : []))
    }
}
