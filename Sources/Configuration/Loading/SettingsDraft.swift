internal import CheckModel

/// Settings while the sources are read, one over the other; nil where nothing was said yet.
struct SettingsDraft {
    var listen: [StatedAddress]?
    var healthListen: [StatedAddress] = []
    var tokensFile: FileReference?
    var httpsCertificate: FileReference?
    var httpsKey: FileReference?
    var httpsClientAuthorities: FileReference?
    var hosts: [String] = []
    var profile: Policy.Profile?
    var dialogs: PolicySettings.Dialogs?
    var options: [PolicySettings.Option]?
    var rules: [PolicyRule] = []
    var nat64Prefixes: [NAT64Prefix] = []
    var limits = LimitSettings()
    var drain = DrainSettings()
    var workers = 0
    var md5KeyFiles: [(name: String, file: FileReference)] = []
    var authorityFiles: [(name: String, file: FileReference)] = []
    var clientCertificateFiles: [ClientCertificateFiles] = []
    private(set) var monitors: [MonitorSettings] = []
    /// Of `monitors`: there may be ten thousand, each of which is asked for.
    private(set) var monitorNames: Set<String> = []
    var modulesFile: FileReference?
    var log = LogSettings()

    static let defaultListen = ListenAddress.ip(
        IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 8080))

    mutating func add(_ monitor: MonitorSettings) {
        monitors.append(monitor)
        monitorNames.insert(monitor.name)
    }

    /// Fills in what depends on where the service listens. The files are not read yet.
    ///
    /// Sockets that were handed over stand in the place of the default, and beside what is said.
    func settled(allowsAnonymous: Bool, inherited: InheritedAddresses) -> Settings {
        let listen = Self.join(stated(beside: inherited).map(\.address), inherited.listen)
        let healthListen = Self.join(self.healthListen.map(\.address), inherited.healthListen)
        let isLocal = listen.allSatisfy(\.isLocal)
        let policy = PolicySettings(
            profile: profile ?? (isLocal ? .internal : .rules),
            dialogs: dialogs ?? (isLocal ? .any : .configured),
            options: options.map(Set.init) ?? (isLocal ? Set(PolicySettings.Option.allCases) : []),
            rules: rules, nat64Prefixes: nat64Prefixes)
        return Settings(
            listen: listen, healthListen: healthListen, allowsAnonymous: allowsAnonymous, hosts: hosts, policy: policy,
            statesPolicy: profile != nil || !rules.isEmpty, limits: limits, drain: drain, workers: workers,
            monitors: monitors, log: log)
    }

    /// Where else than on inherited sockets the service listens.
    private func stated(beside inherited: InheritedAddresses) -> [StatedAddress] {
        listen ?? (inherited.listen.isEmpty ? [StatedAddress(Self.defaultListen)] : [])
    }

    /// What is wrong with the addresses that would be bound together.
    func addressProblems(beside inherited: InheritedAddresses) -> [ConfigurationProblem] {
        StatedAddress.problems(listen: stated(beside: inherited), health: healthListen)
    }

    private static func join(_ stated: [ListenAddress], _ inherited: [ListenAddress]) -> [ListenAddress] {
        stated + inherited.filter { address in !stated.contains { $0.isSameSocket(as: address) } }
    }
}
