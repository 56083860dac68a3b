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
    private let listening: [ListenAddress]
    private let handler: ServiceHandler
    private let logger: Logger
    /// One at a time: the last one that began shall be the one that is in force.
    private let turn = Mutex(())

    /// - Parameters:
    ///   - started: what the workers and listeners were built with.
    ///   - listening: where the service really listens.
    init(
        source: SettingsSource, started: Settings, listening: [ListenAddress], handler: ServiceHandler, logger: Logger
    ) {
        self.source = source
        self.started = started
        self.listening = listening
        self.handler = handler
        self.logger = logger
    }

    /// Puts a changed configuration in force, as far as that can be done without a new start. A faulty one changes nothing.
    /// - Returns: why nothing has changed; nil where it has.
    func reload() -> String? {
        turn.withLock { _ in
            do throws(ConfigurationProblems) {
                let (settings, warnings) = try source.load()
                if let refusal = settings.refusalToStart {
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
    }

    private func put(_ settings: Settings) {
        if needsNewStart(for: settings) {
            logger.warning("listen, workers, limits.in_flight and limits.queue are in force only from the next start")
        }
        handler.replaceSettings(ServiceAssembly.serviceSettings(from: settings, listening: listening))
        handler.replaceMonitors(with: MonitorAssembly.definitions(from: settings))
        logger.notice("configuration reloaded")
    }

    /// Whether something differs that was built into the workers and listeners; the other limits are each request's own.
    private func needsNewStart(for settings: Settings) -> Bool {
        settings.listen != started.listen || settings.workers != started.workers
            || settings.limits.inFlight != started.limits.inFlight || settings.limits.queue != started.limits.queue
    }
}
