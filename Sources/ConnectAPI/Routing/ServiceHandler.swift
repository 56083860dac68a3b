package import AccessPolicy
package import CheckEngine
package import HTTPServer
package import Logging
package import NetworkTypes
internal import Synchronization

/// The service as the HTTP server and the program see it: routes each request with the current settings.
package final class ServiceHandler: RequestHandler {
    private let parts: ServiceParts
    /// The context of monitors.
    private let context: CurrentValue<CheckContext>
    private let resources: CurrentValue<ServiceResources>

    /// - Parameters:
    ///   - connections: the open connections, for `/metrics`.
    ///   - version: the version of connectd, for `/metrics`.
    package init(
        pool: WorkerPool, memory: MemoryBudget, connections: ConnectionCount = ConnectionCount(),
        settings: ServiceSettings, version: String, logger: Logger
    ) {
        let context = CurrentValue(settings.checkContext)
        let parts = ServiceParts(
            pool: pool, memory: memory, connections: connections, version: version, logger: logger,
            context: { context.current })
        self.parts = parts
        self.context = context
        resources = CurrentValue(ServiceResources(parts: parts, settings: settings))
    }

    /// Applies new settings to requests that arrive from now on.
    package func replaceSettings(_ settings: ServiceSettings) {
        context.replace(with: settings.checkContext)
        resources.replace(with: ServiceResources(parts: parts, settings: settings))
    }

    /// Starts these monitors and stops all others; an unchanged monitor continues.
    package func replaceMonitors(with definitions: [MonitorDefinition]) {
        parts.monitors.replace(with: definitions)
    }

    /// Stops all monitors for good; their last results stay available.
    package func stopMonitors() {
        parts.monitors.stop()
    }

    /// Makes `/readyz` fail, and nothing else, so that load balancers stop sending requests.
    package func announceDraining() {
        parts.draining.announce()
    }

    /// Answers new work with 503 from now on. Accepted work and the other resources are not affected, except batches: they
    /// start no further check, and cancel the checks in flight shortly before the deadline.
    package func refuseNewWork(until deadline: MonotonicTime) {
        parts.draining.refuseNewWork(until: deadline)
    }

    /// The number of checks requested so far.
    package var checkCount: UInt64 { parts.journal.askedCount }

    /// Runs checks for other places, under the current settings.
    package var remoteChecks: RemoteChecks { RemoteChecks(parts: parts, settings: resources.current.settings) }

    // MARK: RequestHandler

    package func admit(_ head: RequestHead) -> HTTPServer.Admission {
        resources.current.admit(head)
    }

    package func problem(status: Int, detail: String) -> Response {
        let isStopping = status == 503 && parts.draining.problem != nil
        let kind = isStopping ? .draining : Problem.Kind.allCases.first { $0.status == status } ?? .badRequest
        let mayPass = kind.status == 503 || kind.status == 429
        return parts.refusal(Problem(kind, detail, headers: mayPass ? [Problem.retryAfter] : []))
    }

    package func tooManyConnections(of client: String) -> Response {
        parts.clientJournal.noteConnection(refusalOf: client)
        return problem(status: 429, detail: "This client has too many open connections: use each for many requests.")
    }
}

/// The current value of a setting. A reload replaces it as a whole; a request keeps the value that it read.
final class CurrentValue<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    var current: Value { value.withLock { $0 } }

    func replace(with value: Value) {
        self.value.withLock { $0 = value }
    }
}

/// What the resources need from the configuration. A request keeps the settings that were current when it arrived.
package final class ServiceSettings: Sendable {
    package let checkContext: CheckContext
    package let permissions: RequestPermissions
    package let hosts: HostRule
    package let tokens: TokenRule
    /// The limits for each client.
    package let clientRules: ClientRules
    /// The longest `timeout_ms` of a request, 1 … 60000.
    package let maximumTimeoutMilliseconds: Int
    /// The longest body of `/v1/routes` and `/v1/checks/batch`, in bytes.
    package let bodyBytes: Int
    /// The most checks of one batch.
    package let batchChecks: Int
    /// What other modules add, with their own settings.
    package let extensions: [any ServiceExtension]
    /// What asks other places; nil without a fleet.
    package let fleet: (any FleetAsking)?
    /// When the HTTPS certificate expires, in seconds since 1970; nil without HTTPS.
    package let certificateExpiry: Int64?
    /// The prober's name in results; nil in the profile `public`, which hides the prober's own side.
    package let prober: String?
    /// The settings for tokens with another policy profile than `checkContext` has. They have no variants themselves.
    package let variants: [Policy.Profile: ServiceSettings]

    package init(
        checkContext: CheckContext, permissions: RequestPermissions, hosts: HostRule, tokens: TokenRule,
        clientRules: ClientRules = ClientRules(), maximumTimeoutMilliseconds: Int, bodyBytes: Int,
        batchChecks: Int = 10_000,
        extensions: [any ServiceExtension] = [], fleet: (any FleetAsking)? = nil,
        certificateExpiry: Int64? = nil, prober: String?, variants: [Policy.Profile: ServiceSettings] = [:]
    ) {
        self.certificateExpiry = certificateExpiry
        self.checkContext = checkContext
        self.permissions = permissions
        self.hosts = hosts
        self.tokens = tokens
        self.clientRules = clientRules
        self.maximumTimeoutMilliseconds = maximumTimeoutMilliseconds
        self.bodyBytes = bodyBytes
        self.batchChecks = batchChecks
        self.extensions = extensions
        self.fleet = fleet
        self.prober = prober
        self.variants = variants
    }
}
