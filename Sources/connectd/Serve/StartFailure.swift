import AccessPolicy
import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import ErrorCatalogue
import Glibc
import HTTPServer
import Logging
import NetworkTypes

/// Messages about a service that cannot start.
enum StartFailure {
    /// Prints on standard error, with the priority of errors for the journal.
    static func report(_ text: String) {
        let isForJournal = JournalPriority.isWanted(environment: Environment.all)
        Output.errorLine(isForJournal ? JournalPriority.marked(text, as: .error) : text)
    }

    static func text(_ error: HTTPServiceError) -> String {
        switch error {
        case .cannotListen(let address, let errno):
            "cannot listen on \(address.text): \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
                + advice(address, errno)
        case .cannotStartWorker(let errno):
            "cannot start a worker: \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        }
    }

    /// The message for a command that lacks descriptors, memory or threads before its first check.
    static func text(of errno: Errno) -> String {
        let reason = "\(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        switch errno.rawValue {
        case EMFILE: return "too few file descriptors (\(reason)): raise the limit, for example with `ulimit -n 1024`"
        case ENFILE: return "the machine has no file descriptors left (\(reason)): raise fs.file-max"
        default: return "cannot start: \(reason)"
        }
    }

    /// Advice for common failures.
    private static func advice(_ address: ListenAddress, _ errno: Errno) -> String {
        switch (address, errno.rawValue) {
        case (.ip, EADDRINUSE):
            return
                "; run `ss -ltnp` to see which process uses it, or use another address with --listen (make run LISTEN=127.0.0.1:9000)"
        case (.ip(let endpoint), EACCES) where endpoint.port < 1024:
            return """
                ; ports below 1024 need a capability: use a port from 1024 up, give the unit \
                AmbientCapabilities=CAP_NET_BIND_SERVICE or the container the capability NET_BIND_SERVICE, \
                let systemd open the socket (connectd.socket), or lower net.ipv4.ip_unprivileged_port_start
                """
        case (.ip, EADDRNOTAVAIL):
            return "; no interface has this address: run `ip -br address` to list the addresses"
        case (.unix(let path, _), EACCES):
            return "; the directory of \(String(decoding: path, as: UTF8.self)) must be writable by this user"
        case (.unix, ENOENT):
            return "; the directory of the socket does not exist"
        default:
            return ""
        }
    }
}

/// Logging by the configuration, at the start and after each reload.
struct ServiceLogging {
    let logger: Logger
    private let control: LogControl

    init(_ settings: LogSettings, environment: [String: String]) {
        let control = LogControl(level: Self.level(settings), format: Self.format(settings))
        self.control = control
        let isForJournal = JournalPriority.isWanted(environment: environment)
        let output = LogOutput()
        logger = Logger(label: "connectd") { _ in
            ServiceLogHandler(control, to: output, isForJournal: isForJournal)
        }
    }

    func follow(_ settings: LogSettings) {
        control.set(level: Self.level(settings), format: Self.format(settings))
    }

    private static func level(_ settings: LogSettings) -> Logger.Level {
        Logger.Level(rawValue: settings.level.rawValue) ?? .info
    }

    private static func format(_ settings: LogSettings) -> ServiceLogHandler.Format {
        switch settings.format {
        case .json: .json
        case .text: .text
        }
    }
}

/// Warnings about monitors that the policy denies: they would always be down.
enum MonitorPolicyWarnings {
    /// One sentence for each such monitor, with the rule that decides.
    ///
    /// It judges addresses, paths and names without resolving them. A name with denied addresses shows when the monitor
    /// runs.
    static func warnings(about settings: Settings) -> [String] {
        let policy = ServiceAssembly.policy(of: settings, listeningOn: settings.listen + settings.healthListen)
        return MonitorAssembly.definitions(from: settings).compactMap { monitor in
            let target = monitor.check.request.target
            guard case .deny(let reason) = verdict(on: target.peer, by: policy) else { return nil }
            return """
                monitors "\(monitor.name)": the policy denies \(target.text) (\(explanation(reason, policy))), \
                so this monitor can never be up
                """
        }
    }

    private static func verdict(on peer: Target.Peer, by policy: Policy) -> Verdict {
        switch peer {
        case .tcp(let host, let port): verdict(on: host, port, .tcp, by: policy)
        case .udp(let host, let port): verdict(on: host, port, .udp, by: policy)
        case .unix(_, let path): policy.judge(path: path)
        }
    }

    private static func verdict(on host: Host, _ port: UInt16, _ transport: Transport, by policy: Policy) -> Verdict {
        switch host {
        case .address(let address):
            policy.judge(IPEndpoint(address: address, port: port), transport: transport) { _ in false }
        case .name(let name): policy.judgeHost(name, port: port, transport: transport)
        }
    }

    private static func explanation(_ reason: DenialReason, _ policy: Policy) -> String {
        switch reason {
        case .profile: "profile \(policy.profile.rawValue): no rule allows it"
        case .unixPath: "no rule with path allows it"
        case .rule, .ownListener, .cloudMetadata, .linkLocal, .multicast, .broadcast, .unspecified, .reserved,
            .unresolved:
            reason.text
        }
    }
}
