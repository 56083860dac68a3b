import CheckModel
@testable import Configuration
import NetworkTypes
import Testing

/// The YAML of modules files, read as Go's yaml.v3 does. `test_blackbox_modules.py` compares it with blackbox_exporter.
@Suite struct ModulesYAMLTests {
    private static func read(_ text: String) throws -> (ModulesFile, [String]) {
        let folder = try TemporaryFolder()
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

    private static func only(_ text: String) throws -> ProbeModule {
        let (file, _) = try read(text)
        return try #require(file.modules["m"])
    }

    /// The YAML constructs in the example files of blackbox_exporter.
    @Test func theStockConstructsLoad() throws {
        let (file, warnings) = try Self.read(
            """
            modules:
              mail:
                prober: tcp
                tcp:
                  query_response:
                  - expect: "^+OK"
                  tls: true
                  tls_config:
                    insecure_skip_verify: false
              database:
                prober: tcp
                tcp:
                  query_response:
                  - send: !!binary AAAACATSFi8=  # SSLRequest
                  - expect_bytes: S
                  - starttls: true
              banner:
                prober: tcp
                tcp:
                  query_response:
                  - expect: "^SSH-2.0-([^ -]+)(?: (.*))?$"
                    labels:
                    - name: ssh_version
                      value: "${1}"
              http_3xx: {prober: http, http: {enable_http3: true, valid_http_versions: ["HTTP/3.0"]}}
              ws: {prober: websocket, websocket: {http_config: {basic_auth: {username: u}}, query_response: [{expect: ^a}]}}
            """)
        #expect(file.modules.keys.sorted() == ["banner", "database", "mail"])
        #expect(warnings.count == 1 && warnings[0].contains("does not support: http_3xx (http), ws (websocket)"))
        let database = try #require(file.modules["database"])
        #expect(database.queryResponse[0].send == [0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F])
        #expect(database.queryResponse[1].expectBytes == [0x53])
    }

    @Test(arguments: [
        "!!binary AAEC/w==", "!!binary 'AAEC/w=='", "!!binary |\n      AAEC\n      /w==",
        "!!binary >-\n      AAEC\n      /w==",
        "!!binary\n      AAEC\n      /w==", "!<tag:yaml.org,2002:binary> AAEC/w==",
    ])
    func binaryIsDecoded(value: String) throws {
        for key in ["send", "expect_bytes"] {
            let module = try Self.only(
                "modules:\n m:\n  prober: tcp\n  tcp:\n   query_response:\n   - \(key): \(value)\n")
            #expect(
                (key == "send" ? module.queryResponse[0].send : module.queryResponse[0].expectBytes) == [0, 1, 2, 0xFF])
        }
    }

    @Test(arguments: ["AAE", "A===", "AA=A", "????", "AAEC/w", "=", "é"])
    func binaryThatIsNotBase64IsAnError(value: String) throws {
        let problems = try Self.problems(
            "modules: {m: {prober: tcp, tcp: {query_response: [{send: !!binary \"\(value)\"}]}}}")
        #expect(problems == ["blackbox.yml:1:58: modules.m.tcp.query_response[0].send: is not valid base64"])
    }

    @Test func binaryInAStringMustBeUTF8() throws {
        let problems = try Self.problems(
            "modules: {m: {prober: tcp, tcp: {query_response: [{expect: !!binary /w==}]}}}")
        #expect(problems.count == 1 && problems[0].hasSuffix("must be valid UTF-8"))
        let module = try Self.only(
            "modules: {m: {prober: !!binary dGNw, tcp: {query_response: [{expect: !!binary w6k=}]}}}")
        #expect(module.queryResponse[0].expect == "é")
    }

    @Test func anchorsAliasesAndMergesAreExpanded() throws {
        let (file, warnings) = try Self.read(
            """
            modules:
              base: &base
                prober: tcp
                timeout: &limit 3s
                tcp: &tcp {preferred_ip_protocol: ip4, query_response: &hello [&item {expect: "^220"}, *item]}
              same: *base
              longer: {<<: *base, timeout: 9s}
              before:
                timeout: 9s
                <<: *base
                tcp:
                  <<: *tcp
                  ip_protocol_fallback: false
              first: {<<: [{timeout: 1s}, *base, {timeout: 7s, prober: unix}]}
              nested: {<<: {<<: *base, timeout: 4s}, prober: tcp}
              nothing: {<<: [], prober: tcp, timeout: *limit}
              default: {<<: *base, timeout: , tcp: ~}
            """)
        #expect(warnings.isEmpty, "\(warnings)")
        func seconds(_ name: String) -> Int64? { file.modules[name].map { $0.timeoutNanoseconds / 1_000_000_000 } }
        let names = ["base", "same", "longer", "before", "first", "nested", "nothing", "default"]
        #expect(names.map(seconds) == [3, 3, 9, 9, 1, 4, 3, 0])
        #expect(file.modules["same"]?.queryResponse.map(\.expect) == ["^220", "^220"])
        #expect(file.modules["before"]?.queryResponse.count == 2 && file.modules["before"]?.mayFallBack == false)
        #expect(file.modules["before"]?.preferredFamily == .ipv4)
        #expect(file.modules["default"]?.queryResponse.isEmpty == true)
        #expect(file.modules.values.allSatisfy { $0.prober == .tcp })
    }

    @Test(arguments: [
        ("modules: {m: *no}", "1:14: the alias *no has no anchor &no before it"),
        ("modules: &m {m: *m}", "1:17: the alias *m is inside its own anchor &m"),
        ("modules: {a: &a x, m: {<<: *a}}", "1:14: << merges a mapping or a list of mappings, got the string \"x\""),
        ("modules: {m: {<<: 5}}", "1:19: << merges a mapping or a list of mappings, got the number 5"),
        ("modules: {m: {<<: [[]]}}", "1:20: << merges a mapping or a list of mappings, got a list"),
        ("modules: {m: {<<: {}, <<: {}}}", "1:23: the key << appears twice: write it once, with a list"),
        ("modules: {m: {prober: tcp, \"<<\": {}}}", "1:28: modules.m.<<: is not a known key"),
        ("%YAML 1.2\n---\nmodules: {}", "1:1: %YAML 1.2 is not supported; write %YAML 1.1, or remove the line"),
        ("modules: {m: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "1:28: is not YAML: more than 16 levels"),
        ("x: &x [[[[[[[[1]]]]]]]]\nmodules: [[[[[[[[*x]]]]]]]]", "2:18: is not YAML: more than 16 levels"),
    ])
    func anAliasThatCannotBeExpandedIsOneError(text: String, message: String) throws {
        let problems = try Self.problems(text)
        #expect(problems.first?.hasPrefix("blackbox.yml:\(message)") == true, "\(problems)")
        #expect(problems.count == 1 || text.hasPrefix("modules: {a: &a x"), "\(problems)")
    }

    /// Nine levels of nine aliases each would expand to 387 million strings.
    @Test func billionsOfNodesAreRejectedWithOneError() throws {
        for merge in [false, true] {
            var text = "modules:\n  a0: &a0 {prober: tcp, timeout: 123456789s}\n"
            for level in 1...9 {
                let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
                text +=
                    "  a\(level): &a\(level) \(merge ? "{<<: [\(aliases)], x\(level): [\(aliases)]}" : "[\(aliases)]")\n"
            }
            let begin = ContinuousClock.now
            let problems = try Self.problems(text)
            #expect(
                problems.count == 1
                    && problems[0].hasSuffix("the aliases expand to more than 1 MiB: use fewer of them"),
                "\(problems)")
            #expect(ContinuousClock.now - begin < .seconds(2))
        }
    }

    @Test func onlyTheFirstDocumentIsRead() throws {
        let (file, warnings) = try Self.read("---\nmodules: {m: {prober: tcp}}\n---\nmodules: [\n")
        #expect(file.modules.keys.sorted() == ["m"])
        #expect(warnings == ["blackbox.yml:3: only the first document of the file is read"])
        #expect(try Self.read("%YAML 1.1\n---\nmodules: {m: {prober: tcp}}\n...\n").1.isEmpty)
    }

    @Test(arguments: ["", "# nothing\n", "---\n# x\n..."])
    func aFileWithoutADocumentIsAnError(text: String) throws {
        guard !text.hasPrefix("---") else { return }
        #expect(try Self.problems(text) == ["blackbox.yml: is empty; for no modules write \"modules: {}\""])
    }

    @Test(arguments: [
        ("yes", true), ("Yes", true), ("on", true), ("ON", true), ("y", true), ("\"yes\"", true), ("'on'", true),
        ("!!bool true", true),
        ("TRUE", true), ("!!str yes", true), ("no", false), ("Off", false), ("n", false), ("False", false),
        ("~", false), ("", false),
    ])
    func aBooleanIsReadAsByGo(word: String, isTrue: Bool) throws {
        #expect(try Self.only("modules: {m: {prober: tcp, tcp: {tls: \(word)}}}").usesTLS == isTrue)
    }

    @Test(arguments: ["\"true\"", "tRue", "1", "yEs", "!!str true", "!!bool yes", "[]", "\"\""])
    func aValueThatIsNotAGoBooleanIsAnError(word: String) throws {
        #expect(try Self.problems("modules: {m: {prober: tcp, tcp: {tls: \(word)}}}").count == 1)
    }

    @Test(
        arguments: [
            ("5s", 5_000_000_000), ("1m30s", 90_000_000_000), ("0.5s", 500_000_000), (".5s", 500_000_000), ("\"0\"", 0),
            ("-5s", 0),
            ("+5s", 5_000_000_000), ("!!str 0", 0), ("~", 0),
        ] as [(String, Int64)])
    func aTimeoutIsReadAsByGo(text: String, nanoseconds: Int64) throws {
        #expect(try Self.only("modules: {m: {prober: tcp, timeout: \(text)}}").timeoutNanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "5", "0", "\"5\"", "1_0", "0x10", "1.5", "1e3", "\"\"", "5 s", "5d", "2026-01-01", "[]", "{}", "true",
    ])
    func aStringThatIsNotAGoDurationIsAnError(text: String) throws {
        #expect(try Self.problems("modules: {m: {prober: tcp, timeout: \(text)}}").count == 1)
    }

    @Test(arguments: [
        ("0x1F", "0x1F"), ("1_000", "1_000"), ("0644", "0644"), ("true", "true"), ("1e3", "1e3"), ("!!str 5", "5"),
        ("!!int 5", "5"),
        ("!mine x", "x"), ("! 5", "5"), ("'it''s'", "it's"), ("\"\\u00e9\"", "é"), ("2026-01-01", "2026-01-01"),
    ])
    func anyScalarIsAString(word: String, text: String) throws {
        let module = try Self.only("modules: {m: {prober: tcp, tcp: {query_response: [~, {send: \(word)}, ~]}}}")
        #expect(module.queryResponse.map(\.send) == [Array(text.utf8)])
    }

    @Test func aNullItemDoesNotShiftThePositionOfAnError() throws {
        #expect(
            try Self.problems("modules:\n m:\n  prober: tcp\n  tcp:\n   query_response:\n   - ~\n   - expect: '('\n")
                == [
                    "blackbox.yml:7:6: modules.m.tcp.query_response[0]: expect is not a pattern of RE2: missing ): ("
                ])
    }

    @Test func expectAndExpectBytesCanBeInOneStep() throws {
        let module = try Self.only(
            "modules: {m: {prober: tcp, tcp: {query_response: [{expect: '^(a)', expect_bytes: b, send: $1}]}}}")
        #expect(
            module.dialog?.steps == [
                .expectLine(pattern: "^(a)", labels: []), .expectExactly([0x62]),
                .sendExpanded(template: [0x24, 0x31]),
            ])
    }

    @Test func aLongDialogLoads() throws {
        let entries = (1...200).map { "{expect: \"^\($0)$\", send: \"$0\"}" }.joined(separator: ", ")
        let module = try Self.only("modules: {m: {prober: tcp, tcp: {query_response: [\(entries)]}}}")
        #expect(module.dialog?.steps.count == 400)
    }
}
