package import CheckEngine
package import HTTPServer
package import Logging
import Synchronization

/// The service as the HTTP server and the program see it: judges what comes, by the settings in force, and finds who answers.
package final class ServiceHandler: RequestHandler {
    private let parts: ServiceParts
    /// What monitors run under.
    private let context: InForce<CheckContext>
    private let resources: InForce<ServiceResources>

    /// - Parameter version: connectd's own, for `/metrics`.
    package init(
        pool: WorkerPool, memory: MemoryBudget, settings: ServiceSettings, version: String, logger: Logger
    ) {
        let context = InForce(settings.checkContext)
        let parts = ServiceParts(
            pool: pool, memory: memory, version: version, logger: logger, context: { context.current })
        self.parts = parts
        self.context = context
        resources = InForce(ServiceResources(parts: parts, settings: settings))
    }

    /// Puts new settings in force, for requests that come from now on.
    package func replaceSettings(_ settings: ServiceSettings) {
        context.replace(with: settings.checkContext)
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

/// A value of the configuration that is in force. A reload replaces it as a whole; a request keeps the one that it took.
final class InForce<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    var current: Value { value.withLock { $0 } }

    func replace(with value: Value) {
        self.value.withLock { $0 = value }
    }
}

/// What the resources need of the configuration. A request keeps what was in force when it came.
package final class ServiceSettings: Sendable {
    package let checkContext: CheckContext
    package let permissions: RequestPermissions
    package let hosts: HostRule
    package let tokens: TokenRule
    /// The longest `timeout_ms` that a request may ask for, 1 … 60000.
    package let maximumTimeoutMilliseconds: Int
    /// The longest body of `/v1/routes`.
    package let bodyBytes: Int
    /// What other modules add, with their own settings.
    package let extensions: [any ServiceExtension]
    /// When the certificate of HTTPS expires, in seconds since 1970; nil without HTTPS.
    package let certificateExpiry: Int64?
    /// The prober's name in results; nil in the profile `public`, which tells nothing of the prober's own side.
    package let prober: String?

    package init(
        checkContext: CheckContext, permissions: RequestPermissions, hosts: HostRule, tokens: TokenRule,
        maximumTimeoutMilliseconds: Int, bodyBytes: Int, extensions: [any ServiceExtension] = [],
        certificateExpiry: Int64? = nil, prober: String?
    ) {
        self.certificateExpiry = certificateExpiry
        self.checkContext = checkContext
        self.permissions = permissions
        self.hosts = hosts
        self.tokens = tokens
        self.maximumTimeoutMilliseconds = maximumTimeoutMilliseconds
        self.bodyBytes = bodyBytes
        self.extensions = extensions
        self.prober = prober
    }
}
