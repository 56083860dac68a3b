import AccessPolicy
import Configuration
import NetworkTypes
import Testing

@Suite struct GoodDocumentTests {
    @Test func anchorsAliasesAndMergesAreExpanded() throws {
        let settings = try load(
            """
            policy:
              rules:
                - &allow {action: allow, cidr: 10.0.0.0/8, ports: &ports [5432, "8000-8999"]}
                - {<<: *allow, cidr: 192.0.2.0/24}
                - {action: deny, host: "*.corp.example", ports: *ports}
            """)
        let written = try load(
            """
            policy:
              rules:
                - {action: allow, cidr: 10.0.0.0/8, ports: [5432, "8000-8999"]}
                - {action: allow, cidr: 192.0.2.0/24, ports: [5432, "8000-8999"]}
                - {action: deny, host: "*.corp.example", ports: [5432, "8000-8999"]}
            """)
        #expect("\(settings.settings.policy.rules)" == "\(written.settings.policy.rules)")
    }

    @Test(arguments: ["", "\n\n", "# nothing\n", "---\n", "{}\n", "--- {}\n", "\u{FEFF}workers: 0\n"])
    func anEmptyDocumentLeavesTheDefaults(text: String) throws {
        let (settings, warnings) = try load(text)
        #expect(warnings.isEmpty)
        #expect(settings.listen.map(\.text) == ["127.0.0.1:8080"])
        #expect(settings.tokens.isEmpty && !settings.allowsAnonymous && settings.hosts.isEmpty)
        #expect(settings.policy.profile == .internal)
        #expect(settings.policy.dialogs == .any)
        #expect(settings.policy.options == [.bind, .interface, .mark, .md5])
        #expect(settings.policy.rules.isEmpty && settings.policy.nat64Prefixes.isEmpty && !settings.statesPolicy)
        #expect(settings.limits.inFlight == 4096 && settings.limits.queue == 1024)
        #expect(settings.limits.bodyBytes == 16_777_216 && settings.limits.timeoutMilliseconds == 60_000)
        #expect(settings.drain.delayMilliseconds == 0 && settings.drain.limitMilliseconds == 20_000)
        #expect(settings.workers == 0 && settings.md5Keys.isEmpty)
        #expect(settings.authorities.isEmpty && settings.clientCertificates.isEmpty)
        #expect(settings.log.level == .info && settings.log.format == .json)
    }

    @Test func withoutAFileTheDefaultsApply() throws {
        let (settings, warnings) = try SettingsLoader.load(file: nil, environment: ["PATH": "/bin"])
        #expect(settings.listen.map(\.text) == ["127.0.0.1:8080"])
        #expect(warnings.isEmpty)
    }

    @Test func everyKeySetsItsSetting() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "# who\n\nops:0123456789abcdef0123\r\n  ci:a+b/c==-long-enough  \n",
            to: "tokens")
        try folder.write("s3cret\n", to: "bgp.key")
        let file = try folder.write(
            """
            listen: ["127.0.0.1:8080", "[::1]:0", "unix:/run/connectd/http.sock"]
            auth: {tokens_file: tokens}
            hosts: [Connectd.Internal., other]
            policy:
              profile: sidecar
              dialogs: none
              options: [md5, bind]
              nat64_prefixes: ["2001:db8:64::/96"]
              rules:
                - {action: allow, cidr: 10.0.0.0/8, ports: [5432, "8000-8999"], transports: [tcp]}
                - {action: allow, path: "/run/app/*.sock"}
                - {action: deny, host: "*.corp.example"}
                - action: deny
                  cidr: 2001:db8::7
            limits: {in_flight: 10, queue: 0, body_bytes: 65536, timeout_ms: 1}
            drain:
              delay_ms: 5000
              limit_ms: 0
            workers: 3
            md5_keys: {bgp: {file: bgp.key}}
            log: {level: debug, format: text}
            """, to: "connectd.yaml")
        let (settings, warnings) = try SettingsLoader.load(file: file)
        #expect(warnings.count == 1 && warnings[0].contains("holds 2 tokens in plain text"))
        #expect(settings.listen.map(\.text) == ["127.0.0.1:8080", "[::1]:0", "unix:/run/connectd/http.sock"])
        #expect(settings.tokens.map(\.name) == ["ops", "ci"])
        #expect(settings.tokens[0].digest.matches(TokenDigest.digest(of: Array("0123456789abcdef0123".utf8))))
        #expect(settings.tokens[1].digest.matches(TokenDigest.digest(of: Array("a+b/c==-long-enough".utf8))))
        #expect(settings.hosts == ["connectd.internal", "other"])
        #expect(settings.policy.profile == .sidecar && settings.policy.dialogs == .none)
        #expect(settings.policy.options == [.md5, .bind])
        #expect(settings.policy.nat64Prefixes.map(\.range.text) == ["2001:db8:64::/96"])
        #expect(settings.limits.inFlight == 10 && settings.limits.queue == 0)
        #expect(settings.limits.bodyBytes == 65536 && settings.limits.timeoutMilliseconds == 1)
        #expect(settings.drain.delayMilliseconds == 5000 && settings.drain.limitMilliseconds == 0)
        #expect(settings.workers == 3)
        #expect(settings.md5Keys["bgp"]?.reveal() == Array("s3cret".utf8))
        #expect(settings.log.level == .debug && settings.log.format == .text)
        #expect(settings.policy.rules.count == 4)
    }

    @Test func aRelativePathIsRelativeToTheFile() throws {
        let folder = try TemporaryFolder()
        try folder.write("ops:0123456789abcdef\n", to: "tokens")
        let file = try folder.write("auth: {tokens_file: ./tokens}", to: "c.yaml")
        #expect(try SettingsLoader.load(file: file).settings.tokens.count == 1)
        let absolute = try folder.write("auth: {tokens_file: '\(folder.path)/tokens'}", to: "d.yaml")
        #expect(try SettingsLoader.load(file: absolute).settings.tokens.count == 1)
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080", true), ("127.9.9.9:1", "127.9.9.9:1", true),
        ("[::1]:65535", "[::1]:65535", true),
        ("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", true), ("0.0.0.0:0", "0.0.0.0:0", false),
        ("[::]:80", "[::]:80", false),
        ("10.0.0.7:80", "10.0.0.7:80", false), ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80", false),
        ("[2001:DB8::1]:80", "[2001:db8::1]:80", false), ("unix:/s", "unix:/s", true),
        ("unix:///run/s", "unix:/run/s", true),
        ("[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80", false),
    ])
    func listenAddressesAreParsed(text: String, shown: String, isLocal: Bool) throws {
        let flags = Flags(listen: [text], allowAnonymous: true)
        let (settings, _) = try SettingsLoader.load(file: nil, flags: flags)
        #expect(settings.listen.map(\.text) == [shown])
        #expect(settings.listen[0].isLocal == isLocal)
    }

    @Test func portZeroMayBeADuplicate() throws {
        #expect(try load("listen: ['127.0.0.1:0', '127.0.0.1:0']").settings.listen.count == 2)
    }

    @Test func wordsThatOnlyStartLikeNumbersAreStrings() throws {
        let text = """
            listen: [127.0.0.1:80]
            hosts: [1a.example, e2e.example, x-1, 0x.example]
            policy: {profile: rules, rules: [{action: deny, cidr: 10.0.0.0/8}, {action: deny, cidr: 10.0.0.1}]}
            """
        let (settings, _) = try load(text)
        #expect(settings.hosts.count == 4)
        #expect(settings.policy.rules.count == 2)
    }
}
