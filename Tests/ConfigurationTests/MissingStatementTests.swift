import AccessPolicy
import Configuration
import NetworkTypes
import Testing

@Suite struct MissingStatementTests {
    @Test(arguments: [
        (["127.0.0.1:1"], "{}", false, []),
        (["[::1]:1", "unix:/s"], "{}", false, []),
        (["127.0.0.1:1"], "health_listen: ['0.0.0.0:2']", false, []),
        (["0.0.0.0:1"], "{}", false, [MissingStatement.authentication, .policy]),
        (["127.0.0.1:1", "[::]:1"], "{}", false, [.authentication, .policy]),
        (["10.0.0.1:1"], "{}", true, [.policy]),
        (["10.0.0.1:1"], "policy: {profile: internal}", false, [.authentication]),
        (["10.0.0.1:1"], "policy: {profile: internal}", true, []),
        (["10.0.0.1:1"], "policy: {rules: [{action: allow, cidr: 10.0.0.0/8}]}", true, []),
        (["10.0.0.1:1"], "policy: {rules: [], dialogs: any, options: []}", true, [.policy]),
    ])
    func otherAddressesNeedAuthenticationAndAPolicy(
        listen: [String], yaml: String, anonymous: Bool, missing: [MissingStatement]
    ) throws {
        let (settings, _) = try load(yaml, flags: Flags(listen: listen, allowAnonymous: anonymous))
        #expect(settings.missingStatements() == missing)
        #expect((settings.refusalToStart == nil) == missing.isEmpty)
    }

    @Test func tokensAreAuthentication() throws {
        let folder = try TemporaryFolder()
        try folder.write("ops:0123456789abcdef", to: "tokens")
        let file = try folder.write("listen: ['0.0.0.0:1']\nauth: {tokens_file: tokens}", to: "c.yaml")
        #expect(try SettingsLoader.load(file: file).settings.missingStatements() == [.policy])
    }

    @Test(arguments: [("0.0.0.0:2", [MissingStatement.authentication, .policy]), ("[::1]:2", [])])
    func inheritedSocketsCountToo(address: String, missing: [MissingStatement]) throws {
        var inherited = InheritedAddresses()
        inherited.listen = try load("{}", flags: Flags(listen: [address])).settings.listen
        inherited.healthListen = try load("{}", flags: Flags(listen: ["0.0.0.0:3"])).settings.listen
        let alone = try SettingsLoader.load(file: nil, inherited: inherited).settings
        #expect(alone.missingStatements() == missing && alone.listen == inherited.listen)
        #expect(alone.healthListen == inherited.healthListen)
        let stated = try SettingsLoader.load(
            file: nil, flags: Flags(listen: ["127.0.0.1:1", address]), inherited: inherited
        ).settings
        #expect(stated.listen.map(\.text) == ["127.0.0.1:1", address])
    }

    @Test(arguments: [("", [MissingStatement.authentication, .policy]), (", client_authorities: ca.pem", [.policy])])
    func clientCertificatesAreAuthentication(authorities: String, missing: [MissingStatement]) throws {
        let folder = try TemporaryFolder()
        let pair = CertificatePair()
        for name in ["server.pem", "ca.pem"] { try folder.write(pair.certificate, to: name) }
        try folder.write(pair.key, to: "server.key")
        let https = "https: {certificate: server.pem, key: server.key\(authorities)}"
        let file = try folder.write("listen: ['0.0.0.0:1']\n\(https)", to: "c.yaml")
        #expect(try SettingsLoader.load(file: file).settings.missingStatements() == missing)
    }

    @Test(arguments: ["certificate: server.pem", "key: server.key", "client_authorities: ca.pem"])
    func anIncompleteHTTPSSectionIsRejected(half: String) throws {
        let found = try problems("https: {\(half)}")
        #expect(found.map(\.reason) == ["requires both certificate and key"] && found.first?.path == "https")
    }

    @Test(arguments: [
        ("answers: false", "{}", false, []),
        ("answers: true", "{}", false, [MissingStatement.authentication, .policy]),
        ("place: a", "{}", false, [.authentication, .policy]),
        ("place: a", "{}", true, [.policy]),
        ("place: a", "{profile: internal}", false, [.authentication]),
        ("place: a", "{profile: internal}", true, []),
        ("user: a, password_file: secret", "{profile: internal}", false, []),
        ("token_file: secret", "{}", false, [.policy]),
    ])
    func answeringAFleetIsExposure(fleet: String, policy: String, anonymous: Bool, missing: [MissingStatement]) throws {
        let folder = try TemporaryFolder()
        try folder.write("secret", to: "secret")
        let file = try folder.write("fleet: {servers: ['nats://a'], \(fleet)}\npolicy: \(policy)\n", to: "c.yaml")
        let settings = try SettingsLoader.load(file: file, flags: Flags(allowAnonymous: anonymous)).settings
        #expect(settings.missingStatements() == missing)
        #expect((settings.refusalToStart == nil) == missing.isEmpty)
        if let refusal = settings.refusalToStart { #expect(refusal.contains("fleet.answers"), "\(refusal)") }
    }

    @Test func loggingInToTheBrokerIsNotAuthenticationOfAListener() throws {
        let folder = try TemporaryFolder()
        try folder.write("secret", to: "secret")
        try folder.write("ops:0123456789abcdef", to: "tokens")
        let fleet = "fleet: {servers: ['nats://a'], token_file: secret}\npolicy: {profile: internal}\n"
        let exposed = try folder.write(fleet + "listen: ['0.0.0.0:1']\n", to: "a.yaml")
        #expect(try SettingsLoader.load(file: exposed).settings.missingStatements() == [.authentication])
        let open = try folder.write(
            "fleet: {servers: ['nats://a']}\npolicy: {profile: internal}\nauth: {tokens_file: tokens}\n", to: "b.yaml")
        let (settings, warnings) = try SettingsLoader.load(file: open)
        #expect(settings.refusalToStart == nil)
        #expect(warnings.contains { $0.contains("anyone who reaches the broker") }, "\(warnings)")
    }

    @Test func answeringAFleetHasTheStricterDefaults() throws {
        let answers = try load("fleet: {servers: ['nats://a']}", flags: Flags(allowAnonymous: true)).settings.policy
        #expect(answers.profile == .rules && answers.dialogs == .configured && answers.options.isEmpty)
        let asks = try load("fleet: {servers: ['nats://a'], answers: false}").settings.policy
        #expect(asks.profile == .internal && asks.dialogs == .any && asks.options.count == 4)
    }

    @Test func theMessageNamesTheMissingKeysAndHowToSetThem() throws {
        let flags = Flags(listen: ["127.0.0.1:1", "0.0.0.0:2"])
        let message = try #require(try SettingsLoader.load(file: nil, flags: flags).settings.refusalToStart)
        for word in ["0.0.0.0:2", "auth.tokens_file", "--allow-anonymous", "policy.profile", "policy.rules"] {
            #expect(message.contains(word), "\(message)")
        }
        #expect(!message.contains("127.0.0.1:1"))
    }

    @Test func otherAddressesHaveStricterDefaults() throws {
        let exposed = try load("{}", flags: Flags(listen: ["127.0.0.1:1", "0.0.0.0:2"])).settings.policy
        #expect(exposed.profile == .rules && exposed.dialogs == .configured && exposed.options.isEmpty)
        let unix = try load("{}", flags: Flags(listen: ["unix:/s"])).settings.policy
        #expect(unix.profile == .internal && unix.dialogs == .any && unix.options.count == 4)
        let stated = try load(
            "policy: {profile: public, dialogs: any, options: [bind]}", flags: Flags(listen: ["0.0.0.0:1"]))
        #expect(stated.settings.policy.profile == .public && stated.settings.policy.dialogs == .any)
        #expect(stated.settings.policy.options == [.bind])
    }

    @Test func thePolicyAppliesTheRulesOfTheFile() throws {
        let yaml = """
            policy:
              profile: rules
              rules:
                - {action: deny, cidr: 10.0.0.0/8, ports: [22, "8000-8999"], transports: [tcp]}
                - {action: allow, cidr: 10.0.0.0/8}
            """
        let policy = try load(yaml).settings.policy.policy(ownPorts: [], ownPaths: [])
        func allows(_ address: String, _ port: UInt16, _ transport: Transport) throws -> Bool {
            let endpoint = IPEndpoint(address: try #require(IPAddress(parsing: address)), port: port)
            return policy.judge(endpoint, transport: transport, isLocal: { _ in false }) == .allow
        }
        #expect(try allows("10.0.0.1", 80, .tcp) && allows("10.0.0.1", 22, .udp))
        #expect(try !allows("10.0.0.1", 22, .tcp) && !allows("10.0.0.1", 8500, .tcp) && !allows("11.0.0.1", 80, .tcp))
    }
}
