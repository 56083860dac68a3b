import AccessPolicy
import Configuration
import NetworkTypes
import Testing

@Suite struct EnvironmentTests {
    @Test func environmentOverridesTheFileAndFlagsOverrideBoth() throws {
        let yaml = "listen: ['127.0.0.1:1']\nlimits: {queue: 1, in_flight: 2}\nworkers: 3"
        let environment = ["CONNECTD_LISTEN": "127.0.0.1:2, [::1]:3", "CONNECTD_LIMITS__QUEUE": "7"]
        let (settings, warnings) = try load(yaml, environment: environment)
        #expect(settings.listen.map(\.text) == ["127.0.0.1:2", "[::1]:3"])
        #expect(settings.limits.queue == 7 && settings.limits.inFlight == 2 && settings.workers == 3)
        #expect(warnings.isEmpty)
        let flagged = try load(yaml, environment: environment, flags: Flags(listen: ["127.0.0.1:4", "unix:/s"]))
        #expect(flagged.settings.listen.map(\.text) == ["127.0.0.1:4", "unix:/s"])
    }

    @Test func eachKindOfKeyCanBeSet() throws {
        let folder = try TemporaryFolder()
        let tokens = try folder.write("ops:0123456789abcdef", to: "tokens")
        let (settings, _) = try SettingsLoader.load(
            file: nil,
            environment: [
                "CONNECTD_POLICY__PROFILE": "public", "CONNECTD_POLICY__OPTIONS": "mark,md5",
                "CONNECTD_HOSTS": "A.example", "CONNECTD_HEALTH_LISTEN": "0.0.0.0:8081,unix:/h?mode=0666",
                "CONNECTD_POLICY__NAT64_PREFIXES": "2001:db8::/96", "CONNECTD_AUTH__TOKENS_FILE": tokens,
                "CONNECTD_LOG__LEVEL": "error", "CONNECTD_DRAIN__LIMIT_MS": "5",
            ])
        #expect(
            settings.policy.profile == .public && settings.policy.options == [.mark, .md5] && settings.statesPolicy)
        #expect(settings.policy.nat64Prefixes.count == 1 && settings.hosts == ["a.example"])
        #expect(settings.tokens.map(\.name) == ["ops"])
        #expect(settings.healthListen.map(\.text) == ["0.0.0.0:8081", "unix:/h?mode=0666"])
        #expect(settings.log.level == .error && settings.drain.limitMilliseconds == 5)
    }

    @Test(arguments: [
        ("CONNECTD_LIMITS__QUEUE", "many", "must be an integer in plain decimal digits, got \"many\""),
        ("CONNECTD_LIMITS__QUEUE", " 7", "must be an integer"),
        ("CONNECTD_LIMITS__QUEUE", "-1", "must be from 0 to 1000000, got -1"),
        ("CONNECTD_LIMITS__QUEUE", "", "is empty; unset it to leave limits.queue unchanged"),
        ("CONNECTD_POLICY__PROFILE", "open", "\"open\" is not one of rules, sidecar, internal, public"),
        ("CONNECTD_LISTEN", "127.0.0.1:1,", "\"\" has no port"),
        ("CONNECTD_LISTEN", "localhost:1", "\"localhost:1\" does not begin with an address"),
        ("CONNECTD_AUTH__TOKENS_FILE", "/no/such", "the file \"/no/such\" cannot be read: No such file or directory"),
        ("CONNECTD_POLICY__RULES", "[]", "policy.rules can be set only in the configuration file"),
        ("CONNECTD_AUTHORITIES", "{}", "authorities can be set only in the configuration file"),
        ("CONNECTD_CLIENT_CERTIFICATES", "x", "client_certificates can be set only in the configuration file"),
        ("CONNECTD_MD5_KEYS", "{}", "md5_keys can be set only in the configuration file"),
        ("CONNECTD_LISTEN", "unix:a\u{16}b", "\"unix:a\u{FFFD}b\" has no absolute path after \"unix:\""),
        ("CONNECTD_HEALTH_LISTEN", "0.0.0.0", "\"0.0.0.0\" has no port"),
        ("CONNECTD_FLEET__LABELS", "region=eu", "fleet.labels can be set only in the configuration file"),
        ("CONNECTD_LIMITS__BATCH", "0", "must be from 1 to 1000000, got 0"),
        ("CONNECTD_LIMITS__PER_CLIENT_PER_SECOND", "-1", "must be from 0 to 1000000, got -1"),
    ])
    func anInvalidValueIsReportedWithItsVariable(name: String, value: String, reason: String) throws {
        let found = try problems("{}", environment: [name: value])
        #expect(found.count == 1)
        #expect(found.first?.source == .environment(name))
        #expect(found.first?.reason.contains(reason) == true, "\(found)")
        #expect(found.first?.description.hasPrefix("\(name): ") == true)
    }

    @Test func anUnknownVariableWarns() throws {
        let (_, warnings) = try load(
            "{}", environment: ["CONNECTD_LIMITS__QUEU": "1", "CONNECTD_NONSENSE": "s3cret", "connectd_listen": "x"])
        #expect(
            warnings == [
                "CONNECTD_LIMITS__QUEU is ignored: it is not a known key (did you mean \"CONNECTD_LIMITS__QUEUE\"?)",
                "CONNECTD_NONSENSE is ignored: it is not a known key",
            ])
    }

    @Test func variablesOfKubernetesAreIgnored() throws {
        let (_, warnings) = try load(
            "{}",
            environment: [
                "CONNECTD_PORT": "tcp://10.0.0.1:80", "CONNECTD_PORT_80_TCP_ADDR": "10.0.0.1",
                "CONNECTD_SERVICE_HOST": "10.0.0.1", "CONNECTD_SERVICE_PORT": "80", "CONNECTD_COUNT_ENQUEUES": "1",
            ])
        #expect(warnings.isEmpty)
    }
}
