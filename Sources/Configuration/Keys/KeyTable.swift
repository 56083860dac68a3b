internal import AccessPolicy
internal import NetworkTypes

/// All keys. The readers of the file and the environment, and the test of the documentation, use this table.
enum KeyTable {
    static let keys: [SettingKey] = service + policy + work + secrets + fleet

    private static let service: [SettingKey] = [
        SettingKey("listen", .addresses(mayBeEmpty: false) { $0.listen = $1 }, default: "127.0.0.1:8080"),
        SettingKey("health_listen", .addresses(mayBeEmpty: true) { $0.healthListen = $1 }, default: "[]"),
        SettingKey("https.certificate", .file(\.httpsCertificate), default: "none"),
        SettingKey("https.key", .file(\.httpsKey), default: "none"),
        SettingKey("https.client_authorities", .file(\.httpsClientAuthorities), default: "none"),
        SettingKey("auth.tokens_file", .file(\.tokensFile), default: "none"),
        SettingKey(
            "hosts", .list(of: "host name", mayBeEmpty: true, parse: HostName.read, { $0.hosts = $1 }), default: "[]"),
        SettingKey(
            "log.level", .choice { (draft, level: LogSettings.Level) in draft.log.level = level }, default: "info"),
        SettingKey(
            "log.format", .choice { (draft, format: LogSettings.Format) in draft.log.format = format }, default: "json"),
    ]

    private static let policy: [SettingKey] = [
        SettingKey(
            "policy.profile", .choice { (draft, profile: Policy.Profile) in draft.profile = profile },
            default: "internal on loopback, else rules"),
        SettingKey(
            "policy.dialogs", .choice { (draft, dialogs: PolicySettings.Dialogs) in draft.dialogs = dialogs },
            default: "any on loopback, else configured"),
        SettingKey(
            "policy.options",
            .list(
                of: "`bind`, `interface`, `mark`, `md5`", mayBeEmpty: true, parse: PolicyParsing.option,
                { $0.options = $1 }),
            default: "all on loopback, else none"),
        SettingKey("policy.rules", .rules, default: "[]"),
        SettingKey(
            "policy.nat64_prefixes",
            .list(
                of: "IPv6 prefix of RFC 6052", mayBeEmpty: true, parse: PolicyParsing.nat64Prefix,
                { $0.nat64Prefixes = $1 }),
            default: "[]"),
    ]

    private static let work: [SettingKey] = [
        SettingKey("limits.in_flight", .integer(1...1_000_000, \.limits.inFlight), default: "4096"),
        SettingKey("limits.queue", .integer(0...1_000_000, \.limits.queue), default: "1024"),
        SettingKey("limits.batch", .integer(1...1_000_000, \.limits.batch), default: "10000"),
        SettingKey("limits.body_bytes", .integer(65_536...268_435_456, \.limits.bodyBytes), default: "16777216"),
        SettingKey(
            "limits.per_client_per_second", .integer(0...1_000_000, \.limits.perClient.perSecond), default: "0"),
        SettingKey(
            "limits.per_client_in_flight", .integer(0...1_000_000, \.limits.perClient.inFlight), default: "0"),
        SettingKey(
            "limits.per_client_connections", .integer(0...1_000_000, \.limits.perClient.connections), default: "0"),
        SettingKey(
            "limits.per_client_targets_per_hour", .integer(0...1_000_000, \.limits.perClient.targetsPerHour),
            default: "0"),
        SettingKey("limits.timeout_ms", .integer(1...60_000, \.limits.timeoutMilliseconds), default: "60000"),
        SettingKey("drain.delay_ms", .integer(0...3_600_000, \.drain.delayMilliseconds), default: "0"),
        SettingKey("drain.limit_ms", .integer(0...3_600_000, \.drain.limitMilliseconds), default: "20000"),
        SettingKey("workers", .integer(0...1024, \.workers), default: "0"),
        SettingKey("monitors", .monitors, default: "[]"),
    ]

    private static let secrets: [SettingKey] = [
        SettingKey("authorities", .entries(.authorities), default: "{}"),
        SettingKey("client_certificates", .entries(.clientCertificates), default: "{}"),
        SettingKey("md5_keys", .entries(.md5Keys), default: "{}"),
        SettingKey("modules_file", .file(\.modulesFile), default: "none"),
    ]

    private static let fleet: [SettingKey] = [
        SettingKey(
            "fleet.servers",
            .list(
                of: "`nats://host:port`, `tls://host:port`", mayBeEmpty: false, parse: FleetParsing.server,
                { $0.fleet.servers = $1 }),
            default: "none"),
        SettingKey("fleet.credentials", .file(\.fleet.credentials), default: "none"),
        SettingKey("fleet.token_file", .file(\.fleet.tokenFile), default: "none"),
        SettingKey(
            "fleet.user",
            .text(
                TextKind(words: "string") { draft, text throws(ValueRefusal) in
                    try FleetParsing.checkUser(text.text)
                    draft.fleet.user = text
                }), default: "none"),
        SettingKey("fleet.password_file", .file(\.fleet.passwordFile), default: "none"),
        SettingKey("fleet.certificate", .file(\.fleet.certificate), default: "none"),
        SettingKey("fleet.key", .file(\.fleet.key), default: "none"),
        SettingKey(
            "fleet.authorities",
            .text(TextKind(words: "name of `authorities`") { draft, text in draft.fleet.authorities = text }),
            default: "the system's"),
        SettingKey(
            "fleet.place",
            .text(
                TextKind(words: "1 to 63 letters, digits, `-` and `_`") { draft, text throws(ValueRefusal) in
                    draft.fleet.place = try FleetParsing.place(text.text)
                }), default: "the host's name"),
        SettingKey("fleet.labels", .labels, default: "{}"),
        SettingKey("fleet.answers", .flag(\.fleet.answers), default: "true"),
        SettingKey(
            "fleet.prefix",
            .text(
                TextKind(words: "tokens of letters, digits, `-` and `_`, separated by dots") {
                    draft, text throws(ValueRefusal) in
                    draft.fleet.prefix = try FleetParsing.prefix(text.text)
                }), default: "connectd"),
    ]

    static func key(at path: String) -> SettingKey? {
        keys.first { $0.path == path }
    }

    /// Whether other keys are below this path.
    static func isSection(_ path: String) -> Bool {
        keys.contains { $0.path.hasPrefix(path + ".") }
    }

    /// The words directly below a path; an empty path is the document itself.
    static func words(below path: String) -> [String] {
        let prefix = path.isEmpty ? "" : path + "."
        var words: [String] = []
        for key in keys where key.path.hasPrefix(prefix) {
            let word = String(key.path.dropFirst(prefix.count).prefix { $0 != "." })
            if !words.contains(word) { words.append(word) }
        }
        return words
    }
}

extension ValueKind {
    /// Listen addresses. Conflicts between them are found after all sources are read.
    fileprivate static func addresses(
        mayBeEmpty: Bool, _ store: @escaping @Sendable (inout SettingsDraft, [StatedAddress]) -> Void
    ) -> ValueKind {
        let element = "`address:port`, `[IPv6]:port`, `unix:/path`, `unix:/path?mode=0600`"
        return .list(
            ListKind(element: element, mayBeEmpty: mayBeEmpty) { draft, texts, problems in
                var stated: [StatedAddress] = []
                for text in texts {
                    do throws(ValueRefusal) {
                        stated.append(StatedAddress(try ListenAddress(parsing: text.text), text))
                    } catch {
                        problems.append(text.problem(error.about(text.text)))
                    }
                }
                store(&draft, stated)
            })
    }
}
