import AccessPolicy
import Blackbox
import CLinux
import Configuration
import ConnectAPI
import HTTPServer
import Logging
import NetworkTypes
import SocketIO
import Synchronization
import TLS

/// Reads the configuration again, on SIGHUP and for `/-/reload`, and puts it in force.
final class Reloader: Sendable {
    private let source: SettingsSource
    private let started: Settings
    private let http: HTTPService
    private let handler: ServiceHandler
    private let blackbox: BlackboxService
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
        blackbox: BlackboxService,
        manager: ServiceManager, logging: ServiceLogging
    ) {
        self.source = source
        self.started = started
        self.http = http
        self.handler = handler
        self.blackbox = blackbox
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
            blackbox.noteReload(isSuccessful: refusal == nil)
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
            ServiceAssembly.serviceSettings(
                from: settings, listening: http.addresses, files: http.files, blackbox: blackbox))
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

/// How a process asks a service to reload and learns how that went: sigqueue(3) with a value there, and one back. It needs no
/// file, no listener and no token, only the right to signal.
enum ReloadSignal {
    /// Both ways. Whoever does not wait for it passes over it: SIGHUP would end a process whose number is not a service's.
    static let number = SIGURG
    /// The value of one whose sender waits: "conn".
    private static let request: Int32 = 0x636F_6E6E

    enum Answer: Int32 {
        case loaded = 1
        case refused
    }

    /// Who waits. A sender with the service's own rights could name another process; that one is told what it ignores.
    struct Requester {
        private let process: pid_t

        /// nil where nobody waits.
        init?(_ signal: connectd_signal) {
            guard signal.number == ReloadSignal.number, signal.value == ReloadSignal.request, signal.sender > 0 else {
                return nil
            }
            process = signal.sender
        }

        func tell(_ answer: Answer) {
            _ = connectd_queue_signal(process, ReloadSignal.number, answer.rawValue)
        }
    }

    /// Asks, and asks again once in a while: the kernel drops a signal where the same one is pending.
    /// - Returns: nil where no answer came in time.
    /// - Throws: why the process cannot be asked (kill(2)).
    static func ask(_ process: pid_t, until deadline: MonotonicTime) throws(Errno) -> Answer? {
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
                guard signal.sender == process, let answer = Answer(rawValue: signal.value) else { continue }
                return answer
            }
        }
        return nil
    }
}

/// What a configuration comes to, in one line: where it listens, who may ask, what they may reach. No secret is in it.
enum SettingsSummary {
    static func text(_ settings: Settings) -> String {
        [
            "listens on " + listeners(settings).joined(separator: ", "),
            settings.healthListen.isEmpty
                ? nil : "health alone on " + settings.healthListen.map(\.text).joined(separator: ", "),
            who(settings),
            "policy \(settings.policy.profile.rawValue) with \(count(settings.policy.rules.count, "rule"))",
            count(settings.monitors.count, "monitor"),
        ].compactMap(\.self).joined(separator: "; ")
    }

    private static func listeners(_ settings: Settings) -> [String] {
        settings.https == nil ? settings.listen.map(\.text) : ListenerWords.list(settings.listen, settings)
    }

    private static func who(_ settings: Settings) -> String {
        let certificates = settings.https?.demandsCertificate == true ? "clients with a certificate" : nil
        let tokens = settings.tokens.isEmpty ? nil : count(settings.tokens.count, "token")
        let known = [certificates, tokens].compactMap(\.self).joined(separator: " and ")
        return known.isEmpty ? "anybody there may ask" : "\(known) may ask"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
