import AccessPolicy
import Blackbox
import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import Fleet
import HTTPServer
import Logging
import NetworkTypes
import SocketIO
import StrictJSON
import TLS

/// What modules above ConnectAPI keep for the life of the service.
struct ServiceModules {
    let blackbox: BlackboxService
    /// nil without a fleet.
    let fleet: FleetMember?

    /// - Parameter reactors: Those of the workers.
    init(_ settings: Settings, reactors: [Reactor], logger: Logger) {
        blackbox = BlackboxService()
        fleet = settings.fleet.map {
            FleetMember($0, version: Version.number, reactors: reactors, logger: logger)
        }
    }
}

/// Converts the configuration into the settings of the other modules.
enum ServiceAssembly {
    /// - Parameters:
    ///   - listening: The real listen addresses, because ports that the kernel chose are denied as targets, too.
    ///   - files: The files of its UNIX-domain sockets when they were bound; nil looks them up.
    ///   - asksFleet: Whether its clients may ask other places.
    static func serviceSettings(
        from settings: Settings, listening: [ListenAddress], files: Set<FileIdentity>? = nil,
        modules: ServiceModules, asksFleet: Bool = true
    ) -> ConnectAPI.ServiceSettings {
        ConnectAPI.ServiceSettings(
            checkContext: checkContext(from: settings, listening: listening, files: files),
            permissions: RequestPermissions(
                dialogs: settings.policy.dialogs, options: settings.policy.options,
                certificateTargets: settings.clientCertificates.compactMapValues(\.targets)),
            hosts: HostRule(names: settings.hosts),
            tokens: TokenRule(tokens: settings.tokens),
            clientRules: clientRules(of: settings.limits.perClient),
            maximumTimeoutMilliseconds: settings.limits.timeoutMilliseconds,
            bodyBytes: settings.limits.bodyBytes, batchChecks: settings.limits.batch,
            extensions: [
                BlackboxRoutes(modules.blackbox, modules: BlackboxModules(settings.modules)),
                FleetRoutes(modules.fleet), SurveyRoutes(own: SurveyPlan.Instance(settings.fleet)),
            ],
            fleet: asksFleet ? fleet(modules.fleet, for: settings.policy.profile) : nil,
            certificateExpiry: settings.https?.certificate.validity?.notAfter,
            prober: settings.policy.profile == .public ? nil : HostName.current,
            variants: variants(of: settings, listening: listening, files: files, modules: modules))
    }

    /// The fleet as clients of a profile may ask it.
    private static func fleet(_ member: FleetMember?, for profile: Policy.Profile) -> (any FleetAsking)? {
        guard let member else { return nil }
        return profile == .public ? PublicFleet(member) : member
    }

    private static func clientRules(of settings: ClientLimitSettings) -> ClientRules {
        var rules = ClientRules()
        rules.checksPerSecond = settings.perSecond
        rules.checksInFlight = settings.inFlight
        rules.targetsPerHour = settings.targetsPerHour
        return rules
    }

    /// The settings for the tokens that have a policy profile of their own.
    private static func variants(
        of settings: Settings, listening: [ListenAddress], files: Set<FileIdentity>?, modules: ServiceModules
    ) -> [Policy.Profile: ServiceSettings] {
        let profiles = Set(settings.tokens.compactMap(\.profile)).subtracting([settings.policy.profile])
        var variants: [Policy.Profile: ServiceSettings] = [:]
        for profile in profiles {
            var variant = settings
            variant.policy.profile = profile
            // Without this, each variant would have variants too.
            variant.tokens = settings.tokens.map { $0.withoutProfile }
            // Another place would judge the check by its own policy, which may allow more than this profile.
            variants[profile] = serviceSettings(
                from: variant, listening: listening, files: files, modules: modules, asksFleet: false)
        }
        return variants
    }

    /// What checks under these settings may use. The parameters are those of `serviceSettings`.
    static func checkContext(
        from settings: Settings, listening: [ListenAddress], files: Set<FileIdentity>? = nil
    ) -> CheckContext {
        let addresses = listening.isEmpty ? settings.listen + settings.healthListen : listening
        return CheckContext(
            policy: policy(of: settings, listeningOn: addresses, files: files ?? ownFiles(addresses)),
            md5Keys: settings.md5Keys.mapValues { $0.reveal() }, tls: material(of: settings))
    }

    /// The listeners, including the sockets that systemd opened.
    static func listeners(_ settings: Settings, _ sockets: SocketActivation) -> [Listener] {
        settings.listen.map {
            Listener($0, inherited: sockets.descriptor(for: $0, isHealth: false))
        }
            + settings.healthListen.map {
                Listener($0, purpose: .health, inherited: sockets.descriptor(for: $0, isHealth: true))
            }
    }

    /// The line about the budget that is logged at the start.
    static func budgetText(_ descriptors: DescriptorBudget, _ memory: MemoryShares) -> String {
        "budget: \(memory.available.bytes >> 20) MiB of memory (limit of \(memory.available.source.rawValue)), "
            + "of it \(memory.clients >> 20) MiB for clients and \(memory.checks >> 20) MiB for TLS, dialogs and traces of checks; "
            + "\(descriptors.limit) file descriptors (RLIMIT_NOFILE), of them \(descriptors.connections) for connections "
            + "and \(descriptors.checkSockets) for sockets of checks; \(descriptors.checks) checks at once"
    }

    /// The limits for clients: descriptors and memory.
    /// - Parameter perClient: the connections of one client; 0 means no limit.
    static func limits(
        _ budget: DescriptorBudget, _ shares: MemoryShares, memory: MemoryBudget, perClient: Int, isHTTPS: Bool
    ) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.memory = memory
        limits.socketBufferBytes = shares.socketBuffer
        limits.connectionsPerClient = perClient
        limits.lingering = budget.lingeringOfWorker
        guard isHTTPS else {
            limits.connections = budget.connections
            limits.openConnections = ConnectionCount(limit: limits.connections)
            return limits
        }
        // A connection has one descriptor during the handshake; then it counts twice and has three.
        limits.handshakes = max(min(limits.handshakes, budget.connections / 8), 1)
        limits.connections = max((budget.connections - 2 * limits.handshakes) * 2 / 3, 2)
        limits.openConnections = ConnectionCount(limit: limits.connections / 2)
        return limits
    }

    static func material(of settings: Settings) -> TLSMaterial {
        let modules = BlackboxModules(settings.modules)
        // Names of modules contain a colon, names of entries do not, so they never collide.
        return TLSMaterial(
            authorities: settings.authorities.merging(modules.authorities) { entry, _ in entry },
            clientCertificates: settings.clientCertificates.mapValues(\.certificate)
                .merging(modules.certificates) { entry, _ in entry })
    }

    /// The policy of a service with these listeners.
    /// - Parameter files: the files of its UNIX-domain sockets.
    static func policy(
        of settings: Settings, listeningOn addresses: [ListenAddress], files: Set<FileIdentity> = []
    ) -> Policy {
        settings.policy.policy(
            ownPorts: ownPorts(addresses), ownPaths: ownPaths(addresses), ownFiles: files)
    }

    private static func ownPorts(_ addresses: [ListenAddress]) -> Set<UInt16> {
        Set(
            addresses.compactMap { address in
                switch address {
                case .ip(let endpoint): endpoint.port
                case .unix: nil
                }
            })
    }

    private static func ownFiles(_ addresses: [ListenAddress]) -> Set<FileIdentity> {
        Set(
            addresses.compactMap { address in
                switch address {
                case .ip: nil
                case .unix(let path, _): UnixPathName.identity(path)
                }
            })
    }

    private static func ownPaths(_ addresses: [ListenAddress]) -> Set<UnixAddress> {
        Set(
            addresses.compactMap { address in
                switch address {
                case .ip: nil
                case .unix(let path, _): .path(UnixPathName.resolved(path))
                }
            })
    }
}

/// Converts the monitors of the configuration into those of the engine.
enum MonitorAssembly {
    /// The problems of a monitor's check; empty if it is valid.
    static func problems(in check: ConfiguredCheck, of settings: Settings) -> [JSONProblem] {
        decode(check, of: settings, ServiceAssembly.material(of: settings)).problems
    }

    /// The problems of `confirm.from` of a monitor; empty if it is valid.
    static func problems(in from: ConfiguredCheck, of confirm: ConfirmSettings) -> [JSONProblem] {
        PlaceList.confirming(from.value, agree: confirm.agree).problems
    }

    /// - Parameter fleet: asks other places for monitors with `confirm`; nil if the service runs without a fleet.
    static func definitions(from settings: Settings, fleet: (any FleetAsking)? = nil) -> [MonitorDefinition] {
        let material = ServiceAssembly.material(of: settings)
        return settings.monitors.compactMap { monitor in
            // A check without problems can always be decoded.
            guard let check = decode(monitor.check, of: settings, material).check else { return nil }
            return MonitorDefinition(
                name: monitor.name, isRequired: monitor.isRequired,
                intervalMilliseconds: monitor.intervalMilliseconds, upAfter: monitor.upAfter,
                downAfter: monitor.downAfter, check: check,
                confirmation: confirmation(of: monitor, check, settings.fleet?.place, fleet),
                source: source(of: monitor))
        }
    }

    private static func decode(
        _ check: ConfiguredCheck, of settings: Settings, _ material: TLSMaterial
    ) -> (check: PreparedCheck?, problems: [JSONProblem]) {
        ConfiguredCheckDecoder.decode(
            check.value, material: material, md5Keys: settings.md5Keys.keys)
    }

    private static func confirmation(
        of monitor: MonitorSettings, _ check: PreparedCheck, _ ownPlace: PlaceName?, _ fleet: (any FleetAsking)?
    ) -> FleetConfirmation? {
        guard let confirm = monitor.confirm else { return nil }
        let selectors = confirm.from.map { PlaceList.confirming($0.value, agree: confirm.agree).selectors }
        return FleetConfirmation(
            monitor: monitor.name, fleet: fleet, ownPlace: ownPlace, selectors: selectors ?? [], ask: confirm.ask,
            agree: confirm.agree, check: monitor.check.value, request: check.request)
    }

    private static func source(of monitor: MonitorSettings) -> String {
        let confirm = monitor.confirm.map { "\($0.ask) \($0.agree) \(String(describing: $0.from?.value))" }
        let rounds = "\(monitor.isRequired) \(monitor.intervalMilliseconds) \(monitor.upAfter) \(monitor.downAfter)"
        return "\(rounds) \(monitor.check.value) \(confirm ?? "")"
    }
}
