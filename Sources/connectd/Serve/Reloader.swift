import AccessPolicy
import Blackbox
import CLinux
import CheckModel
import Configuration
import ConnectAPI
import HTTPServer
import Logging
import NetworkTypes
import SocketIO
import Synchronization
import TLS

/// Reloads the configuration, on SIGHUP and for `/-/reload`, and applies it.
final class Reloader: Sendable {
    private let source: SettingsSource
    private let started: Settings
    private let http: HTTPService
    private let handler: ServiceHandler
    private let modules: ServiceModules
    private let manager: ServiceManager
    private let logging: ServiceLogging
    private let logger: Logger
    private let current: Mutex<Settings>
    /// Held during a reload: reloads run one after another, so that the last one wins.
    private let turn = Mutex(())

    /// - Parameters:
    ///   - started: The settings with which workers and listeners were created.
    ///   - http: Knows the real listen addresses, and replaces the certificate for new clients.
    init(
        source: SettingsSource, started: Settings, http: HTTPService, handler: ServiceHandler,
        modules: ServiceModules,
        manager: ServiceManager, logging: ServiceLogging
    ) {
        self.source = source
        self.started = started
        self.http = http
        self.handler = handler
        self.modules = modules
        self.manager = manager
        self.logging = logging
        logger = logging.logger
        current = Mutex(started)
    }

    /// The graceful shutdown settings of the current configuration.
    var drain: DrainSettings { current.withLock { $0.drain } }

    /// Applies a changed configuration, as far as possible without a restart. An invalid one changes nothing.
    /// - Returns: The reason if it was rejected; nil if it was applied.
    func reload() -> String? {
        turn.withLock { _ in
            manager.reloading()
            let refusal = loadAndApply()
            modules.blackbox.noteReload(isSuccessful: refusal == nil)
            manager.ready(ServiceManager.status(listening: http.addresses, isReloadRefused: refusal != nil))
            return refusal
        }
    }

    private func loadAndApply() -> String? {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettledFile.read(source.file) { () throws(ConfigurationProblems) in
                try source.load(replacing: current.withLock { $0 })
            }
            if let refusal = refusal(of: settings) {
                logger.error("reload rejected: \(refusal)")
                return refusal
            }
            for warning in warnings { logger.warning("\(warning)") }
            apply(settings)
            return nil
        } catch {
            logger.error("reload rejected, the running configuration stays: \(error)")
            return "\(error)"
        }
    }

    /// The reason not to apply the settings. The running listeners stay, so it also judges them, not only the new ones.
    private func refusal(of settings: Settings) -> String? {
        var running = settings
        running.listen = started.listen
        // A listener that started without TLS cannot require a client certificate.
        if started.https == nil { running.https = nil }
        running.fleet = started.fleet
        return settings.refusalToStart ?? running.refusalToStart
    }

    private func apply(_ settings: Settings) {
        if needsRestart(for: settings) {
            logger.warning(
                "listen, health_listen, https on or off, workers, fleet, limits.in_flight, limits.queue and limits.per_client_connections take effect only after a restart"
            )
        }
        if let context = settings.https, started.https != nil {
            let replaced = Handover<Bool>()
            http.replaceTLS(context) { replaced.put(true) }
            _ = replaced.take()
        }
        logging.follow(settings.log)
        current.withLock { $0 = settings }
        handler.replaceSettings(
            ServiceAssembly.serviceSettings(
                from: settings, listening: http.addresses, files: http.files, modules: modules))
        handler.replaceMonitors(with: MonitorAssembly.definitions(from: settings, fleet: modules.fleet))
        logger.notice("configuration reloaded")
    }

    /// Whether a setting of workers or listeners differs, which takes effect only after a restart.
    private func needsRestart(for settings: Settings) -> Bool {
        settings.listen != started.listen || settings.healthListen != started.healthListen
            || (settings.https == nil) != (started.https == nil) || settings.workers != started.workers
            || settings.limits.inFlight != started.limits.inFlight || settings.limits.queue != started.limits.queue
            || settings.limits.perClient.connections != started.limits.perClient.connections
            || settings.fleet != started.fleet
    }
}

/// The protocol of `connectd reload`: sigqueue(3) with a value to the service, and one back with the result. It needs no
/// file, listener or token, but each of both processes must be allowed to signal the other.
enum ReloadSignal {
    /// The signal in both directions. Other programs ignore it by default; SIGHUP would end a process that reuses the PID.
    static let number = SIGURG
    /// The value of a request: "conn" in ASCII.
    private static let request: Int32 = 0x636F_6E6E

    enum ReloadResult: Int32 {
        case loaded = 1
        case refused
    }

    /// The process that waits for the result. A forged sender is harmless: that process ignores the signal.
    struct Requester {
        private let process: pid_t

        /// nil if the signal is not a request.
        init?(_ signal: connectd_signal) {
            guard signal.number == ReloadSignal.number, signal.value == ReloadSignal.request, signal.sender > 0 else {
                return nil
            }
            process = signal.sender
        }

        func send(_ answer: ReloadResult) {
            _ = connectd_queue_signal(process, ReloadSignal.number, answer.rawValue)
        }
    }

    /// Sends the request, and repeats it every 2 s: the kernel drops a signal while the same one is pending.
    /// - Returns: The answer; nil after the deadline.
    /// - Throws: The errno of kill(2).
    static func ask(_ process: pid_t, until deadline: MonotonicTime) throws(Errno) -> ReloadResult? {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        while Clock.now() < deadline {
            guard connectd_queue_signal(process, number, request) == 0 else { throw .current }
            let patience = min(deadline, Clock.now().advanced(byMilliseconds: 2000))
            while case let rest = patience.since(Clock.now()), rest > 0 {
                var time = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
                let signal = connectd_wait_for_signal(&set, &time)
                guard signal.sender == process, let answer = ReloadResult(rawValue: signal.value) else { continue }
                return answer
            }
        }
        return nil
    }
}

/// A one-line summary of a configuration: listeners, authentication, policy. It contains no secret.
enum SettingsSummary {
    static func text(_ settings: Settings) -> String {
        [
            "listens on " + listeners(settings).joined(separator: ", "),
            settings.healthListen.isEmpty
                ? nil : "health only on " + settings.healthListen.map(\.text).joined(separator: ", "),
            authentication(settings),
            "policy \(settings.policy.profile.rawValue) with \(count(settings.policy.rules.count, "rule"))",
            count(settings.monitors.count, "monitor"),
            settings.fleet.map { "fleet place \($0.place.text), \($0.answers ? "asks and answers" : "only asks")" },
        ].compactMap(\.self).joined(separator: "; ")
    }

    private static func listeners(_ settings: Settings) -> [String] {
        settings.https == nil ? settings.listen.map(\.text) : ListenerDescription.list(settings.listen, settings)
    }

    private static func authentication(_ settings: Settings) -> String {
        let certificates = settings.https?.demandsCertificate == true ? "client certificates" : nil
        let tokens = settings.tokens.isEmpty ? nil : count(settings.tokens.count, "token")
        let known = [certificates, tokens].compactMap(\.self).joined(separator: " and ")
        return known.isEmpty ? "no authentication" : "authentication by \(known)"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
