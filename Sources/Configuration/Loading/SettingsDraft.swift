internal import AccessPolicy
internal import NetworkTypes

/// The settings while the sources are read, each overriding the one before; nil for keys that are not set yet.
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
    /// The names of `monitors`: a set, because there may be ten thousand.
    private(set) var monitorNames: Set<String> = []
    var modulesFile: FileReference?
    var fleet = FleetDraft()
    /// The values that need a fleet.
    var fleetUsers: [LocatedText] = []
    var log = LogSettings()

    static let defaultListen = ListenAddress.ip(
        IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 8080))

    mutating func add(_ monitor: MonitorSettings) {
        monitors.append(monitor)
        monitorNames.insert(monitor.name)
    }

    /// The settings, with the defaults that depend on who can ask: other machines or only this one. The files are not read yet.
    ///
    /// Inherited sockets replace the default address, and are added to configured addresses.
    func resolved(allowsAnonymous: Bool, inherited: InheritedAddresses) -> Settings {
        let listen = Self.join(stated(with: inherited).map(\.address), inherited.listen)
        let healthListen = Self.join(self.healthListen.map(\.address), inherited.healthListen)
        let isLocal = listen.allSatisfy(\.isLocal) && !(fleet.isStated && fleet.answers)
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

    /// The addresses to listen on in addition to inherited sockets.
    private func stated(with inherited: InheritedAddresses) -> [StatedAddress] {
        listen ?? (inherited.listen.isEmpty ? [StatedAddress(Self.defaultListen)] : [])
    }

    /// The conflicts between addresses that would be bound together.
    func addressProblems(with inherited: InheritedAddresses) -> [ConfigurationProblem] {
        StatedAddress.problems(listen: stated(with: inherited), health: healthListen)
    }

    private static func join(_ stated: [ListenAddress], _ inherited: [ListenAddress]) -> [ListenAddress] {
        stated + inherited.filter { address in !stated.contains { $0.isSameSocket(as: address) } }
    }
}

/// Writes values from any source into the draft, and collects their problems.
struct SettingWriter {
    var draft = SettingsDraft()
    private(set) var problems: [ConfigurationProblem] = []

    mutating func report(_ problem: ConfigurationProblem) {
        problems.append(problem)
    }

    mutating func report(_ newProblems: [ConfigurationProblem]) {
        problems += newProblems
    }

    mutating func write(
        _ value: Int, in range: ClosedRange<Int>, to place: WritableKeyPath<SettingsDraft, Int>, of origin: LocatedText
    ) {
        guard range.contains(value) else {
            report(origin.problem("must be from \(range.lowerBound) to \(range.upperBound), got \(origin.text)"))
            return
        }
        draft[keyPath: place] = value
    }

    mutating func write(
        choice text: LocatedText, of words: [String], by store: (inout SettingsDraft, String) -> Void
    ) {
        guard words.contains(text.text) else {
            report(text.problem(ValueRefusal.noneOf(words).about(text.text)))
            return
        }
        store(&draft, text.text)
    }

    mutating func write(list texts: [LocatedText], of kind: ListKind, origin: LocatedText) {
        guard kind.mayBeEmpty || !texts.isEmpty else {
            report(origin.problem("must not be empty"))
            return
        }
        kind.store(&draft, texts, &problems)
    }

    mutating func write(text: LocatedText, of kind: TextKind) {
        do throws(ValueRefusal) {
            try kind.store(&draft, text)
        } catch {
            report(text.problem(error.about(text.text)))
        }
    }

    /// - Parameter folder: The directory for relative names; empty for the working directory.
    mutating func write(
        file text: LocatedText, key: String, folder: String, to place: WritableKeyPath<SettingsDraft, FileReference?>
    ) {
        guard let reference = fileReference(text, key: key, folder: folder) else { return }
        draft[keyPath: place] = reference
    }

    mutating func fileReference(_ text: LocatedText, key: String, folder: String) -> FileReference? {
        guard !text.text.isEmpty, !text.text.utf8.contains(0) else {
            report(text.problem("must be a file name"))
            return nil
        }
        let path = text.text.hasPrefix("/") ? text.text : folder + text.text
        return FileReference(path: path, source: text.source, key: key)
    }
}
