package import StrictJSON

/// Loads settings from defaults, a YAML file, the environment and flags, each overriding the one before.
package enum SettingsLoader {
    /// Reads and validates everything, including the files that the configuration names.
    ///
    /// `Settings.missingStatements()` decides whether the service may start with the settings.
    ///
    /// - Parameters:
    ///   - file: The configuration file, if any. Relative names in it are relative to its directory.
    ///   - mayBeEmpty: Whether an empty file means the defaults.
    ///   - environment: All variables; those that do not start with `CONNECTD_` are ignored.
    ///   - inherited: The addresses of sockets from systemd.
    ///   - hostName: The name of this machine, from which `fleet.place` has its default.
    ///   - judgeCheck: Returns the problems of a monitor's check. The settings are otherwise complete.
    ///   - judgePlaces: Returns the problems of `confirm.from` of a monitor.
    /// - Returns: The settings, and the warnings to log, one line each.
    /// - Throws: All problems, not only the first.
    package static func load(
        file: String?, mayBeEmpty: Bool = true, environment: [String: String] = [:], flags: Flags = Flags(),
        inherited: InheritedAddresses = InheritedAddresses(), hostName: String = MachineName.current,
        judgeCheck: (ConfiguredCheck, Settings) -> [JSONProblem] = { _, _ in [] },
        judgePlaces: (ConfiguredCheck, ConfirmSettings) -> [JSONProblem] = { _, _ in [] }
    ) throws(ConfigurationProblems) -> (settings: Settings, warnings: [String]) {
        var writer = SettingWriter()
        let isEmpty = file.map { readFile($0, mayBeEmpty: mayBeEmpty, into: &writer) } ?? false
        var reader = EnvironmentReader(writer)
        reader.read(environment)
        writer = reader.writer
        readFlags(flags, into: &writer)
        writer.report(writer.draft.addressProblems(with: inherited))

        var settings = writer.draft.resolved(allowsAnonymous: flags.allowAnonymous, inherited: inherited)
        settings.isOfEmptyFile = isEmpty
        var warnings = reader.warnings
        readTokens(&settings, &writer, &warnings)
        readMD5Keys(&settings, &writer, &warnings)
        readMaterial(&settings, &writer, &warnings)
        for check in settings.monitors.map(\.check) {
            writer.report(judgeCheck(check, settings).map(check.problem))
        }
        for confirm in settings.monitors.compactMap(\.confirm) {
            guard let from = confirm.from else { continue }
            writer.report(judgePlaces(from, confirm).map(from.problem))
        }
        readModules(&settings, &writer, &warnings)
        readFleet(&settings, &writer, &warnings, hostName: hostName)
        guard writer.problems.isEmpty else { throw ConfigurationProblems(writer.problems) }
        return (settings, warnings)
    }

    /// - Returns: Whether the file is empty.
    private static func readFile(_ name: String, mayBeEmpty: Bool, into writer: inout SettingWriter) -> Bool {
        do {
            let file = try BoundedFile(path: name)
            var composer = YAMLComposer(file: name)
            let root = composer.compose(file.bytes)
            writer.report(composer.problems)
            guard let root else {
                guard composer.problems.isEmpty else { return false }
                if !mayBeEmpty { writer.report(ConfigurationProblem(.file(name, nil), reason: emptiness)) }
                return true
            }
            var reader = DocumentReader(writer, file: name)
            reader.read(root)
            writer = reader.writer
        } catch {
            writer.report(ConfigurationProblem(.file(name, nil), reason: error.reason))
        }
        return false
    }

    private static let emptiness =
        "is empty: a reload would drop the tokens and the policy; write {} to use the defaults"

    private static func readFlags(_ flags: Flags, into writer: inout SettingWriter) {
        if !flags.answersFleet { writer.draft.fleet.answers = false }
        guard !flags.listen.isEmpty, let key = KeyTable.key(at: "listen"), case .list(let kind) = key.kind else {
            return
        }
        let texts = flags.listen.map { LocatedText(text: $0, source: .flag("--listen"), path: nil) }
        writer.write(list: texts, of: kind, origin: texts[0])
    }

    private static func readTokens(
        _ settings: inout Settings, _ writer: inout SettingWriter, _ warnings: inout [String]
    ) {
        guard let reference = writer.draft.tokensFile else { return }
        let file = TokensFile(reference)
        settings.tokens = file.tokens
        writer.report(file.problems)
        warnings += file.warnings
        if settings.allowsAnonymous {
            warnings.append(
                "--allow-anonymous has no effect: auth.tokens_file is set, so every request needs a token")
        }
    }

    private static func readMaterial(
        _ settings: inout Settings, _ writer: inout SettingWriter, _ warnings: inout [String]
    ) {
        var reader = MaterialReader()
        for (name, reference) in writer.draft.authorityFiles { reader.readAuthorities(name, reference) }
        for files in writer.draft.clientCertificateFiles { reader.readCertificate(files) }
        settings.authorities = reader.authorities
        settings.clientCertificates = reader.certificates
        writer.report(reader.problems)
        warnings += reader.warnings
        // A separate reader, because requests must not use this certificate.
        var server = MaterialReader()
        settings.https = server.readHTTPS(writer.draft)
        writer.report(server.problems)
        warnings += server.warnings
    }

    private static func readModules(
        _ settings: inout Settings, _ writer: inout SettingWriter, _ warnings: inout [String]
    ) {
        guard let reference = writer.draft.modulesFile else { return }
        settings.modules = ModulesFile(reference)
        writer.report(settings.modules.problems)
        warnings += settings.modules.warnings
    }

    private static func readFleet(
        _ settings: inout Settings, _ writer: inout SettingWriter, _ warnings: inout [String], hostName: String
    ) {
        var reader = FleetReader()
        let authorities = Dictionary(writer.draft.authorityFiles.map { ($0.name, $0.file) }) { first, _ in first }
        settings.fleet = reader.read(writer.draft.fleet, authorities: authorities, hostName: hostName)
        writer.report(reader.problems)
        warnings += reader.warnings
        if !writer.draft.fleet.isStated {
            writer.report(
                writer.draft.fleetUsers.map {
                    $0.problem("needs a fleet, which asks the other places: set the key fleet, or remove confirm")
                })
        }
        guard settings.answersFleet, settings.fleet?.provesIdentity == false, !settings.allowsAnonymous else { return }
        warnings.append(
            "fleet: it has no credentials at the broker, so anyone who reaches the broker may ask for checks; "
                + "tokens and client certificates protect only the listeners")
    }

    private static func readMD5Keys(
        _ settings: inout Settings, _ writer: inout SettingWriter, _ warnings: inout [String]
    ) {
        for (name, reference) in writer.draft.md5KeyFiles {
            do {
                let file = try MD5KeyFile(reference)
                settings.md5Keys[name] = file.key
                warnings += file.warnings
            } catch {
                writer.report(reference.problem(error))
            }
        }
    }
}

/// The command-line flags, which override all other sources.
package struct Flags: Sendable {
    /// The values of `--listen`, as written; empty if the flag is not given.
    package var listen: [String]
    /// `--allow-anonymous`.
    package var allowAnonymous: Bool

    /// Whether `fleet.answers` applies. A command that asks the fleet answers nothing, whatever the file says.
    package var answersFleet: Bool

    package init(listen: [String] = [], allowAnonymous: Bool = false, answersFleet: Bool = true) {
        self.listen = listen
        self.allowAnonymous = allowAnonymous
        self.answersFleet = answersFleet
    }
}
