import CheckModel
import Testing

@testable import Configuration

@Suite struct ModulesFileTests {
    /// Reads a modules file of a real folder, with the certificates that it may name.
    private static func read(_ text: String) throws -> (ModulesFile, [String]) {
        let folder = try TemporaryFolder()
        let pair = CertificatePair()
        try folder.write(pair.certificate, to: "cert.pem")
        try folder.write(pair.key, to: "key.pem")
        try folder.write(pair.otherKey, to: "other.pem")
        try folder.write(text, to: "blackbox.yml")
        let file = try folder.write("modules_file: blackbox.yml\n", to: "connectd.yaml")
        let (settings, warnings) = try SettingsLoader.load(file: file)
        return (settings.modules, warnings.map { $0.replacing("\(folder.path)/", with: "") })
    }

    private static func problems(_ text: String) throws -> [String] {
        do {
            _ = try read(text)
            return []
        } catch let error as ConfigurationProblems {
            return error.problems.map { problem in
                problem.description.split(separator: "/").last.map(String.init) ?? problem.description
            }
        }
    }

    @Test func everyKeyArrives() throws {
        let (file, warnings) = try Self.read(
            """
            modules:
              full:
                prober: tcp
                timeout: 1m30.5s
                http: {whatever: true}
                tcp:
                  preferred_ip_protocol: ip4
                  ip_protocol_fallback: no
                  source_ip_address: 127.0.0.9
                  tls: false
                  tls_config:
                    insecure_skip_verify: true
                    server_name: a.example
                    min_version: TLS12
                    max_version: TLS13
                    ca_file: cert.pem
                    cert_file: cert.pem
                    key_file: key.pem
                  query_response:
                    - expect: "^220 (\\\\S+)"
                      labels: [{name: host, value: "${1}"}]
                      send: EHLO $1
                    - expect_bytes: 250
                    - {send: QUIT, starttls: true}
              local: {prober: unix, unix: {query_response: [{send: 123}], tls_config: {server_name: x}}}
            """)
        #expect(warnings.isEmpty)
        let full = try #require(file.modules["full"])
        #expect(full.prober == .tcp && full.timeoutNanoseconds == 90_500_000_000 && full.timeoutText == "1m30.5s")
        #expect(full.preferredFamily == .ipv4 && !full.mayFallBack)
        #expect(full.sourceAddress == IPAddress(parsing: "127.0.0.9") && !full.usesTLS)
        #expect(full.tls.skipsVerification && full.tls.serverName == "a.example")
        #expect(full.tls.minimumVersion == .tls12 && full.tls.maximumVersion == .tls13)
        #expect(full.tls.authorities != nil && full.tls.certificate != nil)
        #expect(full.tls.files.map(\.name) == ["cert.pem", "cert.pem", "key.pem"])
        #expect(full.queryResponse.map(\.expect) == [#"^220 (\S+)"#, nil, nil])
        #expect(full.queryResponse.map(\.expectBytes) == [nil, "250", nil])
        #expect(full.queryResponse.map(\.send) == ["EHLO $1", "", "QUIT"])
        #expect(full.queryResponse.map(\.startsTLS) == [false, false, true])
        #expect(full.queryResponse[0].labels == [Label(name: "host", value: "${1}")])
        #expect(
            full.dialog?.steps == [
                .expectLine(pattern: #"^220 (\S+)"#, labels: [Label(name: "host", value: "${1}")]),
                .sendExpanded(template: Array("EHLO $1".utf8)), .expectExactly(Array("250".utf8)),
                .sendBytes(Array("QUIT\n".utf8)),
                .startTLS,
            ])
        let local = try #require(file.modules["local"])
        #expect(local.prober == .unix && local.queryResponse[0].send == "123" && local.tls.serverName == "x")
    }

    @Test func whatIsNotSaidIsAsThere() throws {
        let (file, warnings) = try Self.read("modules:\n  a: {prober: tcp}\n  b: {prober: tcp, tcp: }\n")
        #expect(warnings.isEmpty)
        for name in ["a", "b"] {
            let module = try #require(file.modules[name])
            #expect(module.timeoutNanoseconds == 0 && module.preferredFamily == .ipv6 && module.mayFallBack)
            #expect(module.sourceAddress == nil && module.queryResponse.isEmpty && !module.usesTLS)
            #expect(module.tls.isDefault && module.tls.authorities == nil && module.tls.certificate == nil)
        }
    }

    @Test(arguments: ["", "modules:\n", "modules: {}\n", "# nothing\n"])
    func aFileWithoutModulesHasNone(text: String) throws {
        let (file, warnings) = try Self.read(text)
        #expect(file.modules.isEmpty && warnings.isEmpty)
    }

    @Test func modulesOfOtherProbersAreLeftOutWithOneWarning() throws {
        let (file, warnings) = try Self.read(
            """
            modules:
              http_2xx: {prober: http, http: {method: GET, anything: [1, 2]}}
              icmp: {prober: icmp}
              dns_ok: {prober: dns, dns: {query_name: x}}
              grpc: {prober: grpc}
              ws: {prober: websocket}
              tcp_connect: {prober: tcp}
            """)
        #expect(file.modules.keys.sorted() == ["tcp_connect"])
        #expect(
            file.skipped == ["http_2xx": "http", "icmp": "icmp", "dns_ok": "dns", "grpc": "grpc", "ws": "websocket"])
        #expect(warnings.count == 1)
        #expect(
            warnings.first == """
                blackbox.yml: modules of probers that connectd does not have are left out: dns_ok (dns), grpc (grpc), \
                http_2xx (http), icmp (icmp), ws (websocket)
                """)
    }

    @Test(arguments: [
        ("moduls: {}", "blackbox.yml:1:1: moduls: there is no such key (did you mean \"modules\"?)"),
        ("modules: [a]", "blackbox.yml:1:10: modules: must be a mapping of keys, but is a list"),
        ("modules: {a: {tcp: {}}}", "blackbox.yml:1:11: modules.a: lacks the key \"prober\""),
        (
            "modules: {a: {prober: ftp}}",
            "blackbox.yml:1:23: modules.a.prober: \"ftp\" is none of tcp, unix, http, icmp, dns, grpc, websocket"
        ),
        (
            "modules: {a: {prober: tcp, timeot: 5s}}",
            "blackbox.yml:1:28: modules.a.timeot: there is no such key (did you mean \"timeout\"?)"
        ),
        (
            "modules: {a: {prober: tcp, timeout: 5}}",
            "blackbox.yml:1:37: modules.a.timeout: \"5\" is no duration: write 5s, 1m30s or 500ms"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query: []}}}",
            "blackbox.yml:1:34: modules.a.tcp.query: there is no such key"
        ),
        (
            "modules: {a: {prober: unix, unix: {source_ip_address: 127.0.0.9}}}",
            "blackbox.yml:1:36: modules.a.unix.source_ip_address: there is no such key"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {source_ip_address: 127.1}}}",
            "blackbox.yml:1:53: modules.a.tcp.source_ip_address: \"127.1\" is no IP address"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {preferred_ip_protocol: ipv4}}}",
            "blackbox.yml:1:57: modules.a.tcp.preferred_ip_protocol: \"ipv4\" is none of ip4, ip6"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {tls: \"true\"}}}",
            "blackbox.yml:1:39: modules.a.tcp.tls: must be true or false, but is the text \"true\""
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{expect: a, expect_bytes: b}]}}}",
            "blackbox.yml:1:51: modules.a.tcp.query_response[0]: expect and expect_bytes exclude each other"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{expect: a, labels: [{name: 1x}]}]}}}",
            """
            blackbox.yml:1:79: modules.a.tcp.query_response[0].labels[0].name: \"1x\" is no name of a label: letters, digits \
            and \"_\", no digit first, not \"__\" first
            """
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{expect: a, labels: [{value: x}]}]}}}",
            "blackbox.yml:1:72: modules.a.tcp.query_response[0].labels[0]: lacks the key \"name\""
        ),
        (
            "modules: {a: {prober: tcp, tcp: {tls_config: {min_version: TLS13, max_version: TLS12}}}}",
            "blackbox.yml:1:46: modules.a.tcp.tls_config: min_version is above max_version"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {tls_config: {min_version: \"1.2\"}}}}",
            "blackbox.yml:1:60: modules.a.tcp.tls_config.min_version: \"1.2\" is none of TLS10, TLS11, TLS12, TLS13"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {tls_config: {cert_file: cert.pem}}}}",
            "blackbox.yml:1:46: modules.a.tcp.tls_config: lacks the key to its certificate"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{send: x}, {expect: \"(\"}]}}}",
            """
            blackbox.yml:1:62: modules.a.tcp.query_response[1]: expect is no pattern, at byte 1: missing closing parenthesis
            """
        ),
        (
            "modules: {a: {prober: tcp, tcp: {tls: yes, query_response: [{starttls: true}]}}}",
            "blackbox.yml:1:33: modules.a.tcp: starttls comes too late: tls is true"
        ),
        (
            "modules: {a: {prober: tcp}, a: {prober: tcp}}",
            "blackbox.yml:1:29: modules.a: the key is there twice, first in line 1"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{starttls: true}, {starttls: true}]}}}",
            "blackbox.yml:1:50: modules.a.tcp.query_response: more than one entry begins with TLS"
        ),
    ])
    func whatIsWrongIsSaidWithLinePathAndReason(text: String, message: String) throws {
        #expect(try Self.problems(text) == [message])
    }

    @Test func filesThatCannotBeUsedAreErrors() throws {
        let missing = try Self.problems("modules: {a: {prober: tcp, tcp: {tls_config: {ca_file: no.pem}}}}")
        #expect(missing.count == 1 && missing[0].hasSuffix("no.pem\" cannot be read: No such file or directory"))
        let none = try Self.problems("modules: {a: {prober: tcp, tcp: {tls_config: {ca_file: key.pem}}}}")
        #expect(none.count == 1)
        let other = try Self.problems(
            "modules: {a: {prober: tcp, tcp: {tls_config: {cert_file: cert.pem, key_file: other.pem}}}}")
        #expect(other.count == 1)
    }

    @Test func aMissingFileIsAnErrorOfItsKey() throws {
        #expect(try ConfigurationTests.problems("modules_file: no.yml").map(\.path) == ["modules_file"])
    }

    @Test func aKeyThatStandsInTheFileIsTakenAndNotKept() throws {
        let pair = CertificatePair()
        func block(_ text: String) -> String {
            text.split(separator: "\n").map { "          \($0)" }.joined(separator: "\n")
        }
        let (file, _) = try Self.read(
            """
            modules:
              a:
                prober: tcp
                tcp:
                  tls_config:
                    cert: |
            \(block(pair.certificate))
                    key: |
            \(block(pair.key))
            """)
        let tls = try #require(file.modules["a"]?.tls)
        #expect(tls.certificate != nil && tls.hasInlineKey)
        #expect(!"\(tls)".contains("PRIVATE"))
    }
}

@Suite struct GoDurationTests {
    @Test(
        arguments: [
            ("0", 0), ("5s", 5_000_000_000), ("1m30s", 90_000_000_000), ("1.5h", 5_400_000_000_000),
            ("100ms", 100_000_000),
            (".5s", 500_000_000), ("1.s", 1_000_000_000), ("2us3ns", 2003), ("2µs", 2000),
            ("1h1m1s", 3_661_000_000_000),
        ] as [(String, Int64)])
    func aDurationIsReadAsInGo(text: String, nanoseconds: Int64) throws {
        #expect(try GoDuration.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: ["", "5", "s", "5 s", "-5s", "+5s", "5d", "1.2.3s", ".s", "5ss", "5s ", "1e3s", "99999999999h"])
    func anythingElseIsRefused(text: String) {
        #expect(throws: ValueRefusal.self) { try GoDuration.nanoseconds(text) }
    }
}
