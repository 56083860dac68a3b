import CheckModel
@testable import Configuration
import Testing

@Suite struct FleetDocumentTests {
    private static let servers = "servers: ['nats://127.0.0.1:4222']"

    /// Loads a document whose directory has the files of these tests.
    private static func load(
        _ fleet: String, rest: String = "", environment: [String: String] = [:], flags: Flags = Flags()
    ) throws -> (settings: Settings, warnings: [String]) {
        let folder = try TemporaryFolder()
        let pair = CertificatePair()
        try folder.write("secret-1\n", to: "secret")
        try folder.write("", to: "empty")
        try folder.write("one\ntwo\n", to: "lines")
        try folder.write("secret-2", to: "open", mode: 0o644)
        try folder.write("-----BEGIN NATS USER JWT-----\n-----BEGIN USER NKEY SEED-----\n", to: "fleet.creds")
        try folder.write(pair.certificate, to: "a.pem")
        try folder.write(pair.key, to: "a.key")
        try folder.write(pair.otherKey, to: "b.key")
        let file = try folder.write("\(rest)\nfleet: {\(fleet)}\n", to: "connectd.yaml")
        return try SettingsLoader.load(
            file: file, environment: environment, flags: flags, hostName: "web-1.fra.example")
    }

    private static func problem(_ fleet: String, environment: [String: String] = [:]) -> String {
        do {
            _ = try load(fleet, environment: environment)
            return "none"
        } catch let error as ConfigurationProblems {
            return error.description
        } catch {
            return "\(error)"
        }
    }

    @Test func theDefaultsAreThoseOfTheDocumentation() throws {
        let (settings, warnings) = try Self.load(Self.servers, flags: Flags(allowAnonymous: true))
        let fleet = try #require(settings.fleet)
        #expect(fleet.servers == ["nats://127.0.0.1:4222"] && fleet.credentials == nil && fleet.certificate == nil)
        #expect(fleet.place.text == "web-1-fra-example" && fleet.labels.isEmpty && fleet.answers)
        #expect(fleet.prefix == KeyTable.key(at: "fleet.prefix")?.defaultText && fleet.authorities == nil)
        #expect(warnings.isEmpty)
        #expect(try Configuration.SettingsLoader.load(file: nil).settings.fleet == nil)
    }

    @Test func everyMemberIsRead() throws {
        let fleet = try #require(
            try Self.load(
                """
                servers: ['tls://N.example', 'nats://[::1]:7'], user: hub, password_file: secret, certificate: a.pem,
                key: a.key, authorities: ours, place: fra1, labels: {region: eu, a/b: ''}, answers: false, prefix: x.y-1
                """, rest: "authorities: {ours: {file: a.pem}}"
            ).settings.fleet)
        #expect(fleet.servers == ["tls://N.example:4222", "nats://[::1]:7"])
        #expect(fleet.credentials == .user("hub", password: Secret("secret-1".utf8)))
        #expect(fleet.certificate?.path.hasSuffix("/a.pem") == true)
        #expect(fleet.certificate?.keyPath.hasSuffix("/a.key") == true)
        #expect(fleet.authorities?.contains("BEGIN CERTIFICATE") == true)
        #expect(fleet.place.text == "fra1" && fleet.labels == ["region": "eu", "a/b": ""])
        #expect(!fleet.answers && fleet.prefix == "x.y-1")
    }

    @Test func eachWayToLogInIsRead() throws {
        let file = try #require(try Self.load("\(Self.servers), credentials: fleet.creds").settings.fleet)
        guard case .file(let path) = file.credentials else { throw ConfigurationProblems([]) }
        #expect(path.hasSuffix("/fleet.creds") && path.hasPrefix("/"))
        let token = try #require(try Self.load("\(Self.servers), token_file: secret").settings.fleet)
        #expect(token.credentials == .token(Secret("secret-1".utf8)))
        #expect(token != file && file == file)
    }

    @Test func theEnvironmentSetsTheKeysToo() throws {
        let settings = try SettingsLoader.load(
            file: nil,
            environment: [
                "CONNECTD_FLEET__SERVERS": "nats://a:1, tls://b:2", "CONNECTD_FLEET__PLACE": "ams",
                "CONNECTD_FLEET__ANSWERS": "false", "CONNECTD_FLEET__PREFIX": "x",
            ]
        ).settings
        #expect(settings.fleet?.servers == ["nats://a:1", "tls://b:2"] && settings.fleet?.place.text == "ams")
        #expect(settings.fleet?.answers == false && settings.fleet?.prefix == "x")
    }

    @Test(arguments: [
        ("", "fleet: is missing the key \"servers\""),
        ("place: a", "fleet: is missing the key \"servers\""),
        ("servers: []", "fleet.servers: must not be empty"),
        ("servers: ['http://a:1']", "fleet.servers[0]: must begin with nats:// or tls://"),
        ("servers: ['nats://a:1/x']", "fleet.servers[0]: must not have a path, a query or a fragment"),
        ("servers: ['nats://a:1?token=x']", "must not have a path, a query or a fragment"),
        ("servers: ['nats://a:99999']", "fleet.servers[0]: must be scheme://host:port: "),
        ("servers: ['nats://']", "fleet.servers[0]: must be scheme://host:port: "),
        ("servers: ['nats://0177.1:1']", "fleet.servers[0]: must be scheme://host:port: "),
        ("servers: ['nats://a', 'nats://a:4222']", "fleet.servers[1]: \"nats://a:4222\" is a duplicate"),
        ("servers: ['nats://a'], plaice: x", "fleet.plaice: is not a known key (did you mean \"place\"?)"),
        ("servers: ['nats://a'], place: any", "fleet.place: \"any\" must have 1 to 63 letters"),
        ("servers: ['nats://a'], place: a.b", "fleet.place: \"a.b\" must have 1 to 63 letters"),
        ("servers: ['nats://a'], place: '*'", "fleet.place: \"*\" must have 1 to 63 letters"),
        ("servers: ['nats://a'], prefix: a..b", "fleet.prefix: \"a..b\" must have letters"),
        ("servers: ['nats://a'], prefix: ''", "fleet.prefix: \"\" must have letters"),
        ("servers: ['nats://a'], prefix: 'a.>'", "fleet.prefix: \"a.>\" must have letters"),
        ("servers: ['nats://a'], labels: [eu]", "fleet.labels: must be a mapping, got a list"),
        ("servers: ['nats://a'], labels: {a: 1}", "fleet.labels.a: must be a string, got the number 1"),
        ("servers: ['nats://a'], labels: {'': x}", "the name must have 1 to 256 bytes"),
        ("servers: ['nats://a'], answers: 'no'", "fleet.answers: must be true or false"),
        ("servers: ['nats://a'], user: a", "fleet: requires both user and password_file"),
        ("servers: ['nats://a'], password_file: secret", "fleet: requires both user and password_file"),
        ("servers: ['nats://a'], user: '', password_file: secret", "fleet.user: must have 1 to 256 bytes"),
        (
            "servers: ['nats://a'], credentials: fleet.creds, token_file: secret",
            "fleet: must have only one of credentials, token_file and user, got credentials and token_file"
        ),
        (
            "servers: ['nats://a'], token_file: secret, user: a, password_file: secret",
            "got token_file and user with password_file"
        ),
        ("servers: ['nats://a'], certificate: a.pem", "fleet: requires both certificate and key"),
        ("servers: ['nats://a'], key: a.key", "fleet: requires both certificate and key"),
        ("servers: ['nats://a'], certificate: a.pem, key: b.key", "fleet.key: the file "),
        ("servers: ['nats://a'], credentials: none.creds", "cannot be read: No such file or directory"),
        ("servers: ['nats://a'], token_file: none", "cannot be read: No such file or directory"),
        ("servers: ['nats://a'], token_file: empty", "is empty"),
        ("servers: ['nats://a'], token_file: lines", "has a control character or a second line"),
        (
            "servers: ['nats://a'], authorities: x",
            "fleet.authorities: \"x\" is not a name of the top-level authorities"
        ),
    ])
    func anInvalidFleetIsReportedWithItsKey(fleet: String, expected: String) {
        let problem = Self.problem(fleet)
        #expect(problem.contains(expected), "\(problem)")
        #expect(problem.contains("connectd.yaml:2:"), "\(problem)")
    }

    @Test func aPrefixHasAtMost64Bytes() throws {
        let longest = String(repeating: "a", count: 64)
        #expect(try Self.load("\(Self.servers), prefix: \(longest)").settings.fleet?.prefix == longest)
        #expect(Self.problem("\(Self.servers), prefix: \(longest)a").contains("at most 64 bytes"))
    }

    @Test(arguments: ["nats://hub:hunter2@a:4222", "nats://hunter2@a", "http://x:hunter2@a"])
    func aSecretInAURLIsRefusedAndNotShown(url: String) {
        for text in [
            Self.problem("servers: ['\(url)']"), Self.problem("", environment: ["CONNECTD_FLEET__SERVERS": url]),
        ] {
            #expect(text.contains("fleet.password_file") && text.contains("fleet.token_file"), "\(text)")
            #expect(!text.contains("hunter2"), "\(text)")
        }
    }

    @Test func aSecretThatOthersCanReadCausesAWarning() throws {
        let (_, warnings) = try Self.load("\(Self.servers), token_file: open")
        #expect(warnings.count == 1 && warnings[0].contains("fleet.token_file") && warnings[0].contains("chmod 600"))
    }

    @Test func credentialsOfAnotherFormatCauseAWarning() throws {
        let (_, warnings) = try Self.load("\(Self.servers), credentials: secret")
        #expect(warnings.count == 1 && warnings[0].contains("NATS USER JWT"))
        #expect(try Self.load("\(Self.servers), credentials: fleet.creds").warnings.isEmpty)
    }
}
