import ArgumentParser
import Blackbox
import CLinux
import CheckEngine
import Configuration
import ConnectAPI
import Fleet
import HTTPServer
import Logging
import NetworkTypes
import SocketIO

/// The running service: starts workers and listeners, reloads, and shuts down.
struct RunningService: ~Copyable {
    private let logger: Logger
    private let pool: WorkerPool
    private let threads: RunningWorkers
    private let handshakes: ServiceThread?
    /// Serves the health listeners; nil without them.
    private let health: ServiceThread?
    private let handler: ServiceHandler
    private let modules: ServiceModules
    private let http: HTTPService
    private let reloader: Reloader
    private let manager: ServiceManager
    /// A description of each listener.
    let listenerDescriptions: [String]
    /// The memory limit for clients, and the available memory.
    let memoryText: String
    /// The budget of memory and descriptors.
    let budgetText: String
    private let watchdog: Watchdog?

    /// Starts everything: workers, then listeners.
    /// - Parameter source: The source of the settings, for reloads.
    init(
        settings: Settings, from source: SettingsSource, sockets: SocketActivation, manager: ServiceManager,
        logging: ServiceLogging
    ) throws {
        let logger = logging.logger
        self.logger = logger
        let workers = settings.workers > 0 ? settings.workers : Processors.available
        let shares = MemoryShares(AvailableMemory())
        let budget = try DescriptorBudget(inFlight: settings.limits.inFlight, workers: workers, memory: shares)
        if let warning = budget.warning { logger.warning("\(warning)") }
        let pool = try WorkerPool(
            count: workers,
            admission: CheckEngine.Admission(
                limit: budget.checks, queueLimit: settings.limits.queue, socketLimit: budget.checkSockets,
                memory: CheckMemory(limitBytes: shares.checks)))
        let memory = MemoryBudget(limitBytes: shares.clients)
        let limits = ServiceAssembly.limits(
            budget, shares, memory: memory, perClient: settings.limits.perClient.connections,
            isHTTPS: settings.https != nil)
        let modules = ServiceModules(settings, reactors: pool.workers.map(\.reactor), logger: logger)
        let handler = ServiceHandler(
            pool: pool, memory: memory, connections: limits.openConnections,
            settings: ServiceAssembly.serviceSettings(from: settings, listening: [], modules: modules),
            version: Version.number, logger: logger)
        // Before the listeners open, because thousands of monitors take time.
        let monitors = MonitorAssembly.definitions(from: settings, fleet: modules.fleet)
        // Without monitors, readiness must not wait for them.
        if monitors.isEmpty { handler.replaceMonitors(with: []) }
        let threads = try pool.start()
        let handshakes: ServiceThread?
        let health: ServiceThread?
        let service: HTTPService
        do {
            // Resources know this thread as the worker after the last.
            health = settings.healthListen.isEmpty ? nil : try ServiceThread(index: workers)
            handshakes = settings.https == nil ? nil : try ServiceThread(index: workers + 1)
            service = try Self.listen(
                on: ServiceAssembly.listeners(settings, sockets), pool, health?.reactor, limits,
                settings.https.flatMap { context in handshakes.map { $0.front(context) } }, handler, logger
            ) { addresses, files in
                // Before the first request is read: the policy denies the service's own listeners.
                handler.replaceSettings(
                    ServiceAssembly.serviceSettings(
                        from: settings, listening: addresses, files: files, modules: modules))
            }
            try Self.start(modules.fleet, answers: settings.fleet?.answers ?? false, by: handler)
        } catch {
            threads.stopAndJoin()
            throw error
        }
        http = service
        handler.replaceMonitors(with: monitors)
        memoryText = "\(shares.clients >> 20) MiB of \(shares.available.bytes >> 20) MiB"
        budgetText = ServiceAssembly.budgetText(budget, shares)
        listenerDescriptions = ListenerDescription.list(http.addresses, settings)
        let reloader = Reloader(
            source: source, started: settings, http: http, handler: handler, modules: modules, manager: manager,
            logging: logging)
        modules.blackbox.offerReload { reloader.reload() }
        self.modules = modules
        self.reloader = reloader
        watchdog = Watchdog(
            manager, over: pool.workers.map(\.reactor) + [handshakes, health].compactMap { $0?.reactor })
        self.manager = manager
        self.pool = pool
        self.handler = handler
        self.threads = threads
        self.handshakes = handshakes
        self.health = health
    }

    /// Connects to the fleet. Only an instance with an explicit policy and credentials answers
    /// (`Settings.missingStatements`).
    private static func start(_ fleet: FleetMember?, answers: Bool, by handler: ServiceHandler) throws {
        do throws(FleetFailure) {
            if answers {
                try fleet?.start { handler.remoteChecks }
            } else {
                try fleet?.start(answeringWith: nil)
            }
        } catch {
            StartFailure.report("connectd: \(error)")
            throw ExitCode(1)
        }
    }

    private static func listen(
        on listeners: [Listener], _ pool: WorkerPool, _ health: Reactor?, _ limits: HTTPLimits, _ https: HTTPSFront?,
        _ handler: ServiceHandler, _ logger: Logger,
        prepare: @escaping @Sendable ([ListenAddress], Set<FileIdentity>) -> Void
    ) throws -> HTTPService {
        let reactors = pool.workers.map(\.reactor)
        let result = BlockingTask.result { () async -> Result<HTTPService, HTTPServiceError> in
            do throws(HTTPServiceError) {
                return .success(
                    try await HTTPService.start(
                        on: listeners, reactors: reactors, health: health, limits: limits, https: https,
                        handler: handler, log: { logger.debug("http: \($0)") }, prepare: prepare))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let service): return service
        case .failure(let error):
            StartFailure.report("connectd: \(StartFailure.text(error))")
            throw ExitCode(1)
        }
    }

    /// The listen addresses, with the real ports.
    var addressTexts: [String] { http.addresses.map(\.text) }

    /// For the service manager.
    var statusText: String { ServiceManager.status(listening: http.addresses) }

    /// Applies a changed configuration.
    /// - Returns: The reason if it was rejected; nil if it was applied.
    borrowing func reload() -> String? { reloader.reload() }

    /// Shuts down gracefully: `/readyz` fails first, new work is accepted for `drain.delay_ms` more, then rejected, and
    /// accepted work is answered within `drain.limit_ms`. The listeners stay open until then, so that clients get a 503.
    consuming func stop() {
        // Read before the shutdown, which enqueues jobs of its own.
        let (enqueues, checks) = (pool.enqueueCount, handler.checkCount)
        logger.notice("draining")
        manager.stopping()
        handler.announceDraining()
        modules.fleet?.stopAnswering()
        // Breaks the reference cycle of the two.
        modules.blackbox.offerReload(nil)
        let http = http
        let handler = handler
        let drain = reloader.drain
        let modules = modules
        let pool = pool
        let isComplete = BlockingTask.result {
            await http.startDraining()
            let reactor = pool.workers[0].reactor
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: drain.delayMilliseconds))
            handler.stopMonitors()
            await http.handOver()
            let deadline = Clock.now().advanced(byMilliseconds: drain.limitMilliseconds)
            handler.refuseNewWork(until: deadline)
            let isDrained = await http.drain(until: deadline)
            await modules.fleet?.drain(until: deadline)
            return await http.shutDown(until: deadline) && isDrained
        }
        logger.notice(isComplete ? "stopped" : "stopped; unfinished requests were closed at drain.limit_ms")
        modules.fleet?.close()
        watchdog?.stop()
        EnqueueReport.printIfAsked(enqueues: enqueues, checks: checks)
        threads.stopAndJoin()
        handshakes?.stop()
        health?.stop()
    }
}

/// The signals that control the service. All threads block them, and one waits for them. This also works as PID 1, for
/// which the kernel discards signals that are neither blocked nor handled.
enum ServiceSignals {
    enum Order {
        case stop
        /// - Parameter for: The process that waits for the result, if any.
        case reload(for: ReloadSignal.Requester?)
    }

    /// Blocks the signals. Call it before any thread is started, because threads inherit the mask.
    static func block() {
        var set = self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A closed peer then causes EPIPE from send(2) instead of ending the process.
        connectd_ignore_sigpipe()
        // A log file at its size limit (RLIMIT_FSIZE) then causes EFBIG from write(2) instead of ending the process.
        connectd_ignore_sigxfsz()
    }

    /// Waits for the next signal: sigwaitinfo(2).
    static func next() -> Order {
        var set = self.set
        while true {
            let signal = connectd_wait_for_signal(&set, nil)
            switch signal.number {
            case SIGHUP: return .reload(for: nil)
            case ReloadSignal.number:
                if let requester = ReloadSignal.Requester(signal) { return .reload(for: requester) }
            case SIGTERM, SIGINT: return .stop
            default: continue
            }
        }
    }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP, ReloadSignal.number] { sigaddset(&set, number) }
        return set
    }
}

/// The number of executor jobs per check, printed at exit for benchmarks.
enum EnqueueReport {
    static let variable = "CONNECTD_COUNT_ENQUEUES"

    static func printIfAsked(enqueues: UInt64, checks: UInt64) {
        guard Environment.all[variable] != nil, checks > 0 else { return }
        let hundredths = (enqueues * 100 + checks / 2) / checks
        let fraction = hundredths % 100
        Output.errorLine("enqueues per check: \(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)")
    }
}
