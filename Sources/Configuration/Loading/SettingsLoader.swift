package import StrictJSON

/// Makes settings of defaults, a YAML file, the environment and flags, each over the one before.
package enum SettingsLoader {
    /// Reads everything, the files that it names included, and judges it.
    ///
    /// Whether the service may start with it is a question of its own: `Settings.openness()`.
    ///
    /// - Parameters:
    ///   - file: The configuration file, if there is one. Relative names in it are relative to its folder.
    ///   - mayBeEmpty: Whether a file without anything in it is taken for the defaults.
    ///   - environment: All variables; those that do not begin with `CONNECTD_` are passed over.
    ///   - inherited: Where sockets listen that systemd handed over.
    ///   - judgeCheck: What is wrong with the check of a monitor, as of a request; the settings are complete but for that.
    /// - Returns: The settings, and what should be logged as a warning, one line each.
    /// - Throws: Everything that is wrong, not only the first.
    package static func load(
        file: String?, mayBeEmpty: Bool = true, environment: [String: String] = [:], flags: Flags = Flags(),
        inherited: InheritedAddresses = InheritedAddresses(),
        judgeCheck: (ConfiguredCheck, Settings) -> [JSONProblem] = { _, _ in [] }
    ) throws(ConfigurationProblems) -> (settings: Settings, warnings: [String]) {
        var writer = SettingWriter()
        let isEmpty = file.map { readFile($0, mayBeEmpty: mayBeEmpty, into: &writer) } ?? false
        var reader = EnvironmentReader(writer)
        reader.read(environment)
        writer = reader.writer
        readFlags(flags, into: &writer)
        writer.report(writer.draft.addressProblems(beside: inherited))

        var settings = writer.draft.settled(allowsAnonymous: flags.allowAnonymous, inherited: inherited)
        settings.isOfEmptyFile = isEmpty
        var warnings = reader.warnings
        readTokens(&settings, &writer, &warnings)
        readMD5Keys(&settings, &writer, &warnings)
        readMaterial(&settings, &writer, &warnings)
        for check in settings.monitors.map(\.check) {
            writer.report(judgeCheck(check, settings).map(check.problem))
        }
        readModules(&settings, &writer, &warnings)
        guard writer.problems.isEmpty else { throw ConfigurationProblems(writer.problems) }
        return (settings, warnings)
    }

    /// - Returns: whether there is nothing in it.
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
        // A reader of its own: its certificate is none that requests may name.
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

/// What the command line says; it outranks everything else.
package struct Flags: Sendable {
    /// `--listen`, each as it was written; empty where the flag was not given.
    package var listen: [String]
    /// `--allow-anonymous`.
    package var allowAnonymous: Bool

    package init(listen: [String] = [], allowAnonymous: Bool = false) {
        self.listen = listen
        self.allowAnonymous = allowAnonymous
    }
}
