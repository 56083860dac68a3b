import CheckModel
@testable import Configuration
import NetworkTypes
import Testing

@Suite struct ModulesFileTests {
    /// Reads a modules file in a real directory, with the certificates that it may name.
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

    @Test func everyKeyIsRead() throws {
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
        #expect(full.queryResponse.map(\.expectBytes) == [[], Array("250".utf8), []])
        #expect(full.queryResponse.map(\.send) == ["EHLO $1", "", "QUIT"].map { Array($0.utf8) })
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
        #expect(
            local.prober == .unix && local.queryResponse[0].send == Array("123".utf8) && local.tls.serverName == "x")
    }

    @Test func defaultsMatchBlackboxExporter() throws {
        let (file, warnings) = try Self.read("modules:\n  a: {prober: tcp}\n  b: {prober: tcp, tcp: }\n")
        #expect(warnings.isEmpty)
        for name in ["a", "b"] {
            let module = try #require(file.modules[name])
            #expect(module.timeoutNanoseconds == 0 && module.preferredFamily == .ipv6 && module.mayFallBack)
            #expect(module.sourceAddress == nil && module.queryResponse.isEmpty && !module.usesTLS)
            #expect(module.tls.isDefault && module.tls.authorities == nil && module.tls.certificate == nil)
        }
    }

    @Test(arguments: ["~\n", "modules:\n", "modules: {}\n", "modules: {~: {}}\n"])
    func aFileWithoutModulesHasNone(text: String) throws {
        let (file, warnings) = try Self.read(text)
        #expect(file.modules.isEmpty && warnings.isEmpty)
    }

    @Test func modulesOfOtherProbersAreSkippedWithOneWarning() throws {
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
                blackbox.yml: skipped modules whose prober connectd does not support: dns_ok (dns), grpc (grpc), \
                http_2xx (http), icmp (icmp), ws (websocket)
                """)
    }

    @Test(arguments: [
        ("moduls: {}", "blackbox.yml:1:1: moduls: is not a known key (did you mean \"modules\"?)"),
        ("modules: [a]", "blackbox.yml:1:10: modules: must be a mapping, got a list"),
        (
            "modules: {a: {prober: tcp, timeot: 5s}}",
            "blackbox.yml:1:28: modules.a.timeot: is not a known key (did you mean \"timeout\"?)"
        ),
        (
            "modules: {a: {prober: tcp, timeout: 5}}",
            "blackbox.yml:1:37: modules.a.timeout: must be a duration with a unit, such as 5s, got the number 5"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query: []}}}",
            "blackbox.yml:1:34: modules.a.tcp.query: is not a known key"
        ),
        (
            "modules: {a: {prober: unix, unix: {source_ip_address: 127.0.0.9}}}",
            "blackbox.yml:1:36: modules.a.unix.source_ip_address: is not a known key"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {tls: \"true\"}}}",
            "blackbox.yml:1:39: modules.a.tcp.tls: must be true or false without quotes, got the string \"true\""
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{expect: a, labels: [{name: 1x}]}]}}}",
            """
            blackbox.yml:1:79: modules.a.tcp.query_response[0].labels[0].name: \"1x\" is not a label name: use letters, \
            digits and \"_\", and do not start with a digit or \"__\"
            """
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{expect: a, labels: [{value: x}]}]}}}",
            "blackbox.yml:1:72: modules.a.tcp.query_response[0].labels[0]: is missing the key \"name\""
        ),
        (
            "modules: {a: {prober: tcp, tcp: {tls_config: {min_version: \"1.2\"}}}}",
            "blackbox.yml:1:60: modules.a.tcp.tls_config.min_version: \"1.2\" is not one of TLS10, TLS11, TLS12, TLS13"
        ),
        (
            "modules: {a: {prober: tcp, tcp: {query_response: [{send: x}, {expect: \"(\"}]}}}",
            """
            blackbox.yml:1:62: modules.a.tcp.query_response[1]: expect is not a pattern of RE2: missing ): (
            """
        ),
        (
            "modules: {a: {prober: tcp}, a: {prober: tcp}}",
            "blackbox.yml:1:29: modules.a: is a duplicate of the key in line 1"
        ),
    ])
    func aProblemHasLinePathAndReason(text: String, message: String) throws {
        #expect(try Self.problems(text) == [message])
    }

    /// blackbox_exporter reads these files during a probe. So the module loads, and the other modules work.
    @Test(arguments: [
        ("ca_file: no.pem", "ca_file", #"the file "no.pem" cannot be read: No such file or directory"#),
        ("ca_file: key.pem", "ca_file", #"the file "key.pem" "#),
        ("cert_file: cert.pem, key_file: other.pem", "key_file", #"the file "other.pem" "#),
        ("cert_file: cert.pem", "tls_config", "has a certificate without a key"),
        ("key_file: key.pem", "tls_config", "has a key without a certificate"),
        ("min_version: TLS13, max_version: TLS12", "tls_config", "min_version is above max_version"),
    ])
    func aDefectOfTLSIsAWarningOfItsModule(config: String, key: String, reason: String) throws {
        let (file, warnings) = try Self.read(
            "modules: {good: {prober: tcp}, bad: {prober: tcp, tcp: {tls: true, tls_config: {\(config)}}}}")
        #expect(file.modules.keys.sorted() == ["bad", "good"])
        let tls = try #require(file.modules["bad"]?.tls)
        #expect(tls.defects.count == 1 && tls.authorities == nil && tls.certificate == nil)
        let warning = try #require(warnings.first)
        #expect(warnings.count == 1 && warning.hasPrefix("blackbox.yml:1:") && warning.contains(reason), "\(warnings)")
        #expect(warning.contains("modules.bad.tcp.tls_config"))
        #expect(warning.hasSuffix("; a probe with this module fails when TLS begins"))
        #expect(tls.defects[0].hasPrefix("\(key): "))
    }

    @Test func aSourceThatIsNotAnAddressFailsProbesOnly() throws {
        let (file, warnings) = try Self.read("modules: {a: {prober: tcp, tcp: {source_ip_address: 127.1}}}")
        #expect(file.modules["a"]?.sourceDefect == #"source_ip_address "127.1" is not an IP address"#)
        #expect(warnings.count == 1 && warnings[0].contains("1:53: modules.a.tcp.source_ip_address"), "\(warnings)")
        let (empty, none) = try Self.read(#"modules: {a: {prober: tcp, tcp: {source_ip_address: ""}}}"#)
        #expect(none.isEmpty && empty.modules["a"]?.sourceDefect == nil && empty.modules["a"]?.sourceAddress == nil)
    }

    @Test(arguments: [
        ("\"\"", false, false), ("ip6", false, false), ("ip4", true, false), ("ipv6", true, true), ("4", true, true),
    ])
    func aFamilyIsReadAsByBlackboxExporter(word: String, isIPv4: Bool, warns: Bool) throws {
        let (file, warnings) = try Self.read("modules: {a: {prober: tcp, tcp: {preferred_ip_protocol: \(word)}}}")
        #expect(file.modules["a"]?.preferredFamily == (isIPv4 ? .ipv4 : .ipv6))
        #expect(warnings.isEmpty != warns)
    }

    @Test(arguments: [
        "tls: yes, query_response: [{expect: x, starttls: true}, {send: y}]",
        "query_response: [{starttls: on}, {expect: x, starttls: true}, {send: y}]",
    ])
    func tlsThatStartsTwiceLoadsWithAWarning(settings: String) throws {
        let (file, warnings) = try Self.read("modules: {a: {prober: tcp, tcp: {\(settings)}}}")
        let steps = try #require(file.modules["a"]?.dialog?.steps)
        #expect(steps.contains(.startTLSAgain) && steps.last == .sendBytes(Array("y\n".utf8)))
        #expect(warnings.count == 1 && warnings[0].contains("TLS cannot begin twice"), "\(warnings)")
    }

    @Test func aModuleWithoutAKnownProberIsSkippedWithAWarning() throws {
        let (file, warnings) = try Self.read(
            "modules: {a: {prober: htttp, http: {x: 1}}, b: {tcp: {}}, c: , d: {prober: ~}, good: {prober: unix}}")
        #expect(file.modules.keys.sorted() == ["good"])
        #expect(file.skipped == ["a": "htttp", "b": "\"\"", "c": "\"\"", "d": "\"\""])
        #expect(
            warnings.contains {
                $0.contains(
                    "1:23: modules.a.prober: \"htttp\" is not a prober of blackbox_exporter (did you mean \"http\"?)")
            }, "\(warnings)")
        #expect(warnings.contains { $0.contains("modules.b: has no prober") })
    }

    @Test func keysOfOtherProbersMustBeUniqueToo() throws {
        #expect(
            try Self.problems("modules: {a: {prober: http, http: {headers: {A: 1, A: 2}}}}") == [
                "blackbox.yml:1:52: modules.a.http.headers.A: is a duplicate of the key in line 1"
            ])
    }

    @Test func aMissingFileIsAnErrorOfItsKey() throws {
        #expect(try ConfigurationTests.problems("modules_file: no.yml").map(\.path) == ["modules_file"])
    }

    @Test func anInlineKeyIsUsedButNotKept() throws {
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
            ("1h1m1s", 3_661_000_000_000), ("-5s", -5_000_000_000), ("+0", 0),
        ] as [(String, Int64)])
    func aDurationIsReadAsInGo(text: String, nanoseconds: Int64) throws {
        #expect(try GoDuration.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: ["", "5", "s", "5 s", "5d", "1.2.3s", ".s", "5ss", "5s ", "1e3s", "99999999999h"])
    func anyOtherAddressIsRejected(text: String) {
        #expect(throws: ValueRefusal.self) { try GoDuration.nanoseconds(text) }
    }
}
