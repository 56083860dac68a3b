import ArgumentParser
import Blackbox
import CLinux
import CheckEngine
import Configuration
import ConnectAPI
import HTTPServer
import Logging
import NetworkTypes
import SocketIO

/// The service from its start to its end.
struct RunningService: ~Copyable {
    private let logger: Logger
    private let pool: WorkerPool
    private let threads: RunningWorkers
    private let handshakes: HandshakeThread?
    private let handler: ServiceHandler
    private let blackbox: BlackboxService
    private let http: HTTPService
    private let reloader: Reloader
    private let manager: ServiceManager
    /// Where it listens, and what is spoken at each.
    let listenerWords: [String]
    /// What clients may make it hold, and of how much that is a part.
    let memoryText: String
    private let watchdog: Watchdog?

    /// Starts everything: workers, then listeners.
    /// - Parameter source: where the settings are from, for reloads.
    init(
        settings: Settings, from source: SettingsSource, sockets: SocketActivation, manager: ServiceManager,
        logging: ServiceLogging
    ) throws {
        let logger = logging.logger
        self.logger = logger
        let workers = settings.workers > 0 ? settings.workers : Processors.available
        let budget = try DescriptorBudget(inFlight: settings.limits.inFlight, workers: workers)
        if let warning = budget.warning { logger.warning("\(warning)") }
        let pool = try WorkerPool(
            count: workers,
            admission: CheckEngine.Admission(
                limit: budget.checks, queueLimit: settings.limits.queue, socketLimit: budget.checkSockets))
        let available = AvailableMemory().bytes
        let memory = MemoryBudget(limitBytes: MemoryBudget.share(ofAvailable: available))
        let blackbox = BlackboxService()
        let handler = ServiceHandler(
            pool: pool, memory: memory,
            settings: ServiceAssembly.serviceSettings(from: settings, listening: [], blackbox: blackbox),
            version: Version.number, logger: logger)
        // Before anybody may ask: it takes its time where there are thousands.
        let monitors = MonitorAssembly.definitions(from: settings)
        // Where there are none, nothing is waited for.
        if monitors.isEmpty { handler.replaceMonitors(with: []) }
        let threads = try pool.start()
        let handshakes: HandshakeThread?
        do {
            handshakes = settings.https == nil ? nil : try HandshakeThread(index: workers)
            http = try Self.listen(
                on: ServiceAssembly.listeners(settings, sockets), pool,
                ServiceAssembly.limits(budget, memory: memory, isHTTPS: settings.https != nil),
                settings.https.flatMap { context in handshakes.map { $0.front(context) } }, handler, logger)
        } catch {
            threads.stopAndJoin()
            throw error
        }
        handler.replaceSettings(
            ServiceAssembly.serviceSettings(
                from: settings, listening: http.addresses, files: http.files, blackbox: blackbox))
        handler.replaceMonitors(with: monitors)
        memoryText = "\(memory.limitBytes >> 20) MiB of \(available >> 20) MiB"
        listenerWords = ListenerWords.list(http.addresses, settings)
        let reloader = Reloader(
            source: source, started: settings, http: http, handler: handler, blackbox: blackbox, manager: manager,
            logging: logging)
        blackbox.offerReload { reloader.reload() }
        self.blackbox = blackbox
        self.reloader = reloader
        watchdog = Watchdog(manager, over: pool.workers.map(\.reactor) + [handshakes?.reactor].compactMap(\.self))
        self.manager = manager
        self.pool = pool
        self.handler = handler
        self.threads = threads
        self.handshakes = handshakes
    }

    private static func listen(
        on listeners: [Listener], _ pool: WorkerPool, _ limits: HTTPLimits, _ https: HTTPSFront?,
        _ handler: ServiceHandler, _ logger: Logger
    ) throws -> HTTPService {
        let reactors = pool.workers.map(\.reactor)
        let result = Waiting.result { () async -> Result<HTTPService, HTTPServiceError> in
            do throws(HTTPServiceError) {
                return .success(
                    try await HTTPService.start(
                        on: listeners, reactors: reactors, limits: limits, https: https,
                        handler: handler, log: { logger.debug("http: \($0)") }))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let service): return service
        case .failure(let error):
            StartFailure.say("connectd: \(StartFailure.text(error))")
            throw ExitCode(1)
        }
    }

    /// Where it listens, ports as the kernel gave them.
    var addressTexts: [String] { http.addresses.map(\.text) }

    /// For the service manager.
    var statusText: String { ServiceManager.status(listening: http.addresses) }

    /// Puts a changed configuration in force.
    /// - Returns: why nothing has changed; nil where it has.
    borrowing func reload() -> String? { reloader.reload() }

    /// Drains: `/readyz` fails first, work is still taken for a while, then new work is refused, and what was accepted is
    /// answered as long as the limit allows. The listeners stay open until then: a 503 tells more than a closed port.
    consuming func stop() {
        // The waits of the end are not the checks'.
        let (enqueues, checks) = (pool.enqueueCount, handler.checkCount)
        logger.notice("draining")
        manager.stopping()
        handler.announceDraining()
        // It and the reloader own each other.
        blackbox.offerReload(nil)
        let http = http
        let handler = handler
        let drain = reloader.drain
        let pool = pool
        let isComplete = Waiting.result {
            await http.startDraining()
            let reactor = pool.workers[0].reactor
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: drain.delayMilliseconds))
            handler.stopMonitors()
            await http.handOver()
            handler.refuseNewWork()
            let deadline = Clock.now().advanced(byMilliseconds: drain.limitMilliseconds)
            let isDrained = await http.drain(until: deadline)
            return await http.shutDown(until: deadline) && isDrained
        }
        logger.notice(isComplete ? "stopped" : "stopped with requests broken off at drain.limit_ms")
        watchdog?.stop()
        EnqueueReport.printIfAsked(enqueues: enqueues, checks: checks)
        threads.stopAndJoin()
        handshakes?.stop()
    }
}

/// The signals that steer the service. They are blocked in every thread, and waited for in one: also as PID 1, where a
/// signal that is neither blocked nor handled is lost.
enum ServiceSignals {
    enum Order {
        case stop
        /// The process that waits for how it went, where one does.
        case reload(for: ReloadSignal.Requester?)
    }

    /// Blocks the signals; to be called before any thread is started, since threads inherit the mask.
    static func block() {
        var set = self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A peer that is gone is an errno of send(2), not the end of the process.
        connectd_ignore_sigpipe()
    }

    /// Waits for the next order: sigwaitinfo(2).
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

/// What a check costs in hand-overs to executors: printed at the end for benchmarks that ask for it.
enum EnqueueReport {
    static let variable = "CONNECTD_COUNT_ENQUEUES"

    static func printIfAsked(enqueues: UInt64, checks: UInt64) {
        guard Environment.all[variable] != nil, checks > 0 else { return }
        let hundredths = (enqueues * 100 + checks / 2) / checks
        let fraction = hundredths % 100
        Output.errorLine("enqueues per check: \(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)")
    }
}
