import ArgumentParser
import CLinux
import CheckEngine
import Configuration
import ConnectAPI
import HTTPServer
import Logging
import NetworkTypes
import SocketIO
import TLS

/// `connectd serve`: the service.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the HTTP service.",
        discussion: """
            It listens on 127.0.0.1:8080 by default. On an address that other machines can reach, it starts only if \
            authentication and a policy are configured.

            SIGTERM and SIGINT start a graceful shutdown; SIGHUP reloads the configuration file. It supports socket \
            activation (LISTEN_FDS), readiness, reload and watchdog notifications (NOTIFY_SOCKET) of systemd.

            Examples:
              connectd serve
              connectd serve --listen 127.0.0.1:9000 --listen unix:/run/connectd/http.sock
              connectd serve --config /etc/connectd/connectd.yaml
            """)

    @Option(
        help:
            "An address to listen on: 127.0.0.1:8080, [::1]:8080, unix:/path or unix:/path?mode=0600. Can be repeated.")
    var listen: [String] = []

    @Option(help: "The configuration file, YAML.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Serve anyone who can reach the service, without authentication.")
    var allowAnonymous = false

    func run() throws {
        // If standard error is closed, log lines would go to the next file that gets its number.
        connectd_fill_standard_descriptors()
        connectd_keep_memory(AvailableMemory().bytes)
        ServiceSignals.block()
        let environment = Environment.all
        let sockets = try takeSockets(environment)
        let source = SettingsSource(
            file: config, flags: Flags(listen: listen, allowAnonymous: allowAnonymous), inherited: sockets.addresses)
        let (settings, warnings) = try load(source)
        if let refusal = settings.refusalToStart {
            StartFailure.report(refusal)
            throw ExitCode(1)
        }
        let logging = ServiceLogging(settings.log, environment: environment)
        let logger = logging.logger
        for warning in warnings { logger.warning("\(warning)") }
        let manager = ServiceManager(environment: environment, process: getpid())
        let service = try RunningService(
            settings: settings, from: source, sockets: sockets, manager: manager, logging: logging)
        logger.notice(
            "listening",
            metadata: [
                "addresses": "\(service.addressTexts.joined(separator: ", "))",
                "listeners": "\(service.listenerDescriptions.joined(separator: ", "))", "version": "\(Version.number)",
                "client_memory": "\(service.memoryText)",
            ])
        if let advice = settings.adviceForContainer(process: getpid()) { logger.notice("\(advice)") }
        logger.notice("\(service.budgetText)")
        connectd_drop_startup_pages()
        manager.ready(service.statusText)
        while case .reload(let requester) = ServiceSignals.next() {
            let refusal = service.reload()
            requester?.send(refusal == nil ? .loaded : .refused)
        }
        service.stop()
    }

    private func takeSockets(_ environment: [String: String]) throws -> SocketActivation {
        do throws(SocketActivationError) {
            return try SocketActivation(environment: environment, process: getpid())
        } catch {
            StartFailure.report("connectd: \(error)")
            throw ExitCode(1)
        }
    }

    private func load(_ source: SettingsSource) throws -> (Settings, [String]) {
        do throws(ConfigurationProblems) {
            return try source.load()
        } catch {
            StartFailure.report("\(error)")
            throw ExitCode(1)
        }
    }
}

/// Describes listeners: `https 127.0.0.1:8443 (client certificates)`, `http unix:/run/c.sock`, `health 0.0.0.0:8081`.
enum ListenerDescription {
    /// - Parameter addresses: The listen addresses, those of `listen` first.
    static func list(_ addresses: [ListenAddress], _ settings: Settings) -> [String] {
        addresses.enumerated().map { index, address in
            index < settings.listen.count ? word(for: address, settings) : "health \(address.text)"
        }
    }

    private static func word(for address: ListenAddress, _ settings: Settings) -> String {
        guard case .ip = address, let https = settings.https else { return "http \(address.text)" }
        return "https \(address.text)" + (https.demandsCertificate ? " (client certificates)" : "")
    }
}
