import CheckModel
import Configuration
import ConnectAPI
import HTTPServer
import Logging
import Synchronization

/// Reads the configuration again, on SIGHUP and for `/-/reload`, and puts it in force.
final class Reloader: Sendable {
    private let source: SettingsSource
    private let started: Settings
    private let http: HTTPService
    private let handler: ServiceHandler
    private let manager: ServiceManager
    private let logging: ServiceLogging
    private let logger: Logger
    private let inForce: Mutex<Settings>
    /// One at a time: the last one that began shall be the one that is in force.
    private let turn = Mutex(())

    /// - Parameters:
    ///   - started: what the workers and listeners were built with.
    ///   - http: says where the service really listens, and shows new clients another certificate.
    init(
        source: SettingsSource, started: Settings, http: HTTPService, handler: ServiceHandler,
        manager: ServiceManager, logging: ServiceLogging
    ) {
        self.source = source
        self.started = started
        self.http = http
        self.handler = handler
        self.manager = manager
        self.logging = logging
        logger = logging.logger
        inForce = Mutex(started)
    }

    /// As the configuration in force has it.
    var drain: DrainSettings { inForce.withLock { $0.drain } }

    /// Puts a changed configuration in force, as far as that can be done without a new start. A faulty one changes nothing.
    /// - Returns: why nothing has changed; nil where it has.
    func reload() -> String? {
        turn.withLock { _ in
            manager.reloading()
            let refusal = loadAndPut()
            handler.noteReload(isSuccessful: refusal == nil)
            manager.ready(ServiceManager.status(listening: http.addresses, isReloadRefused: refusal != nil))
            return refusal
        }
    }

    private func loadAndPut() -> String? {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try source.load(replacing: inForce.withLock { $0 })
            if let refusal = refusal(of: settings) {
                logger.error("reload refused: \(refusal)")
                return refusal
            }
            for warning in warnings { logger.warning("\(warning)") }
            put(settings)
            return nil
        } catch {
            logger.error("reload refused, the running configuration stays: \(error)")
            return "\(error)"
        }
    }

    /// Why the settings may not be put in force: the listeners stay as they are, and others than the new ones may be open.
    private func refusal(of settings: Settings) -> String? {
        var running = settings
        running.listen = started.listen
        // A listener that began without TLS asks nobody for a certificate.
        if started.https == nil { running.https = nil }
        return settings.refusalToStart ?? running.refusalToStart
    }

    private func put(_ settings: Settings) {
        if needsNewStart(for: settings) {
            logger.warning(
                "listen, health_listen, https on or off, workers, limits.in_flight and limits.queue are in force only from the next start"
            )
        }
        if let context = settings.https, started.https != nil {
            let replaced = Handover<Bool>()
            http.replaceTLS(context) { replaced.put(true) }
            _ = replaced.take()
        }
        logging.follow(settings.log)
        inForce.withLock { $0 = settings }
        handler.replaceSettings(
            ServiceAssembly.serviceSettings(from: settings, listening: http.addresses, files: http.files))
        handler.replaceMonitors(with: MonitorAssembly.definitions(from: settings))
        logger.notice("configuration reloaded")
    }

    /// Whether something differs that was built into the workers and listeners; the other limits are each request's own.
    private func needsNewStart(for settings: Settings) -> Bool {
        settings.listen != started.listen || settings.healthListen != started.healthListen
            || (settings.https == nil) != (started.https == nil) || settings.workers != started.workers
            || settings.limits.inFlight != started.limits.inFlight || settings.limits.queue != started.limits.queue
    }
}
