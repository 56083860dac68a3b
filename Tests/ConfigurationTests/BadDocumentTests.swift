import Configuration
import Testing

/// A document with exactly one problem.
struct BadDocument: CustomTestStringConvertible, Sendable {
    let text: String
    let line: Int
    let column: Int
    let path: String?
    let reason: String

    init(_ text: String, _ line: Int, _ column: Int, _ path: String?, _ reason: String) {
        self.text = text
        self.line = line
        self.column = column
        self.path = path
        self.reason = reason
    }

    var testDescription: String { text.debugDescription }
}

@Suite struct BadDocumentTests {
    private static let keys = [
        BadDocument("listn: []", 1, 1, "listn", "is not a known key (did you mean \"listen\"?)"),
        BadDocument("policy:\n  profil: internal", 2, 3, "policy.profil", "did you mean \"profile\"?"),
        BadDocument("xyzzy: 1", 1, 1, "xyzzy", "is not a known key"),
        BadDocument("\"<<\": {workers: 1}", 1, 1, "<<", "is not a known key"),
        BadDocument("limits: {queue: 1}\nlimits: {queue: 2}", 2, 1, "limits", "is a duplicate of the key in line 1"),
        BadDocument("limits:\n  queue: 1\n  'queue': 2", 3, 3, "limits.queue", "is a duplicate of the key in line 2"),
        BadDocument("? [a]\n: b", 1, 3, nil, "a key must be a plain word"),
        BadDocument("- a", 1, 1, nil, "must be a mapping, got a list"),
        BadDocument("just text", 1, 1, nil, "must be a mapping, got the string \"just text\""),
        BadDocument("\n12", 2, 1, nil, "got the number 12"),
        BadDocument("limits:", 1, 8, "limits", "must be a mapping, got nothing"),
        BadDocument("limits: 7", 1, 9, "limits", "must be a mapping, got the number 7"),
        BadDocument("listen: 8080", 1, 9, "listen", "must be a list, got the number 8080"),
        BadDocument("listen: [[::1]:80]", 1, 11, nil, "is not YAML: did not find expected node content"),
        BadDocument("listen: [[a]]", 1, 10, "listen[0]", "must be a string, got a list"),
    ]

    private static let types = [
        BadDocument(
            "workers: many", 1, 10, "workers",
            "must be an integer in plain decimal digits, got the string \"many\""),
        BadDocument("workers: '1'", 1, 10, "workers", "got the string \"1\""),
        BadDocument("workers: 1.5", 1, 10, "workers", "1.5, which some YAML readers take for a number or date"),
        BadDocument("workers: 0x10", 1, 10, "workers", "0x10, which some YAML readers take for a number or date"),
        BadDocument("workers: 010", 1, 10, "workers", "010, which some YAML readers take"),
        BadDocument("workers: 0o10", 1, 10, "workers", "0o10, which some YAML readers take"),
        BadDocument("workers: 1_0", 1, 10, "workers", "1_0, which some YAML readers take"),
        BadDocument("workers: +1", 1, 10, "workers", "+1, which some YAML readers take"),
        BadDocument("workers: 1:30", 1, 10, "workers", "1:30, which some YAML readers take"),
        BadDocument("workers: 1e2", 1, 10, "workers", "1e2, which some YAML readers take"),
        BadDocument("workers: 99999999999999999999", 1, 10, "workers", "take for a number or date"),
        BadDocument("workers: yes", 1, 10, "workers", "yes, which YAML reads as a boolean"),
        BadDocument("workers: ~", 1, 10, "workers", "got nothing"),
        BadDocument("workers:", 1, 9, "workers", "got nothing"),
        BadDocument("workers: [1]", 1, 10, "workers", "got a list"),
        BadDocument("hosts: [no]", 1, 9, "hosts[0]", "no, which YAML reads as a boolean: put it in quotes"),
        BadDocument(
            "hosts: [x, 2026-01-31]", 1, 12, "hosts[1]",
            "2026-01-31, which some YAML readers take for a number or date: put it in quotes"),
        BadDocument("hosts: [.5]", 1, 9, "hosts[0]", "put it in quotes"),
        BadDocument("hosts: [-.inf]", 1, 9, "hosts[0]", "put it in quotes"),
        BadDocument("log: {level: off}", 1, 14, "log.level", "off, which YAML reads as a boolean: put it in quotes"),
        BadDocument("log: {level: null}", 1, 14, "log.level", "must be a string, got nothing"),
        BadDocument("md5_keys: {no: {file: x}}", 1, 12, "md5_keys.no", "put it in quotes"),
    ]

    private static let values = [
        BadDocument("\n\nworkers: -1", 3, 10, "workers", "must be from 0 to 1024, got -1"),
        BadDocument("workers: 1025", 1, 10, "workers", "must be from 0 to 1024, got 1025"),
        BadDocument("limits: {in_flight: 0}", 1, 21, "limits.in_flight", "must be from 1 to 1000000, got 0"),
        BadDocument("limits: {timeout_ms: 60001}", 1, 22, "limits.timeout_ms", "must be from 1 to 60000, got 60001"),
        BadDocument(
            "policy: {profile: open}", 1, 19, "policy.profile",
            "\"open\" is not one of rules, sidecar, internal, public"),
        BadDocument("policy: {profile: Internal}", 1, 19, "policy.profile", "\"Internal\" is not one of"),
        BadDocument("policy: {dialogs: sometimes}", 1, 19, "policy.dialogs", "is not one of any, configured, none"),
        BadDocument(
            "policy: {options: [bind, x]}", 1, 26, "policy.options[1]", "\"x\" is not one of bind, interface, mark, md5"
        ),
        BadDocument("policy: {options: [bind, bind]}", 1, 26, "policy.options[1]", "\"bind\" is a duplicate"),
        BadDocument("policy: {nat64_prefixes: ['64:ff9b::/97']}", 1, 27, "policy.nat64_prefixes[0]", "64:ff9b::/97"),
        BadDocument("log: {level: loud}", 1, 14, "log.level", "\"loud\" is not one of trace, debug"),
        BadDocument("log: {format: xml}", 1, 15, "log.format", "\"xml\" is not one of json, text"),
        BadDocument("hosts: ['a b']", 1, 9, "hosts[0]", "\"a b\" is not a host name"),
        BadDocument("hosts: ['a:80']", 1, 9, "hosts[0]", "without scheme and port"),
        BadDocument("hosts: ['1.2.3.4']", 1, 9, "hosts[0]", "is an address; a Host header may always contain one"),
        BadDocument("hosts: ['999.1.1.1']", 1, 9, "hosts[0]", "is not a host name"),
        BadDocument("hosts: ['💩']", 1, 9, "hosts[0]", "U+1F4A9"),
        BadDocument("hosts: [ü, xn--tda]", 1, 12, "hosts[1]", "is a duplicate"),
        BadDocument("hosts: [a, A]", 1, 12, "hosts[1]", "is a duplicate"),
        BadDocument("hosts: ['']", 1, 9, "hosts[0]", "is not a host name"),
        BadDocument("auth: {tokens_file: ''}", 1, 21, "auth.tokens_file", "must be a file name"),
        BadDocument(
            "auth: {tokens_file: no-such-file}", 1, 21, "auth.tokens_file",
            "no-such-file\" cannot be read: No such file or directory"),
        BadDocument("auth: {tokens_file: .}", 1, 21, "auth.tokens_file", "cannot be read: Is a directory"),
        BadDocument(
            "md5_keys: {k: {file: no-such}}", 1, 22, "md5_keys.k.file", "cannot be read: No such file or directory"),
        BadDocument("md5_keys: {k: {}}", 1, 12, "md5_keys.k", "is missing the key \"file\""),
        BadDocument("md5_keys: {k: file}", 1, 15, "md5_keys.k", "must be a mapping"),
        BadDocument("authorities: {a: {file: no-such}}", 1, 25, "authorities.a.file", "cannot be read: No such file"),
        BadDocument("authorities: {a: {}}", 1, 15, "authorities.a", "is missing the key \"file\""),
        BadDocument(
            "client_certificates: {p: {key: /}}", 1, 23, "client_certificates.p", "is missing the key \"certificate\""),
        BadDocument(
            "client_certificates: {p: {certificate: /}}", 1, 23, "client_certificates.p", "is missing the key \"key\""),
        BadDocument(
            "client_certificates: {p: {certificate: no-such, key: /dev/null}}", 1, 40,
            "client_certificates.p.certificate",
            "cannot be read: No such file or directory"),
        BadDocument(
            "client_certificates: {p: {certificate: /dev/null, key: /, targets: []}}", 1, 68,
            "client_certificates.p.targets", "must not be empty"),
        BadDocument(
            "client_certificates: {p: {certificate: /dev/null, key: /, targets: [h]}}", 1, 69,
            "client_certificates.p.targets[0]", "a target pattern must be host:port"),
        BadDocument(
            "client_certificates: {p: {certificate: /dev/null, key: /, targets: [443]}}", 1, 69,
            "client_certificates.p.targets[0]", "put it in quotes"),
        BadDocument("md5_keys: {'a b': {file: x}}", 1, 12, "md5_keys.a b", "the name must be 1 to 64 letters"),
    ]

    private static let listeners =
        [
            ("nonsense", "has no port"), ("127.0.0.1", "has no port"), ("[::1]", "has no port"), ("", "has no port"),
            ("127.0.0.1:0x50", "does not end in a port"), ("127.0.0.1:70000", "does not end in a port"),
            ("127.0.0.1:", "does not end in a port"), ("127.0.0.1:080", "does not end in a port"),
            ("127.0.0.1:-1", "does not end in a port"), ("localhost:80", "did you mean \"127.0.0.1:80\"?"),
            ("127.1:80", "does not begin with an address"), ("127.0.0.1 :80", "does not begin with an address"),
            ("[127.0.0.1]:80", "does not begin with an address"), ("::1:80", "needs brackets"),
            (":80", "has no address"),
            ("*:80", "has no address"),
            ("http://127.0.0.1:80", "is a URL: write only the address and the port; did you mean \"127.0.0.1:80\"?"),
            ("unix:", "has no absolute path"),
            ("unix:/s?mode=600x", "a mode in octal digits"), ("unix:/s?mode=0888", "a mode in octal digits"),
            ("unix:/s?m=0600", "a mode in octal digits"), ("unix:/s?mode=1777", "a mode in octal digits"),
            ("unix:?mode=0600", "has no absolute path"),
            ("unix:run/s", "has no absolute path"), ("unix:@name", "abstract name"),
            ("unix:/", "needs a path of 2 to 107"),
            ("unix:/" + String(repeating: "x", count: 107), "needs a path of 2 to 107"),
        ].map { BadDocument("listen:\n  - '\($0.0)'", 2, 5, "listen[0]", $0.1) } + [
            BadDocument("listen: []", 1, 9, "listen", "must not be empty"),
            BadDocument("listen: ['127.0.0.1:1', '127.0.0.1:1']", 1, 25, "listen[1]", "is a duplicate"),
            BadDocument("listen: ['unix:/s', 'unix:/s?mode=0600']", 1, 21, "listen[1]", "is a duplicate"),
            BadDocument(
                "listen: ['127.0.0.1:1']\nhealth_listen: ['127.0.0.1:2', '127.0.0.1:1']", 2, 32, "health_listen[1]",
                "\"127.0.0.1:1\" is already in listen: a socket cannot serve both"),
            BadDocument(
                "health_listen: ['unix:/s']\nlisten: ['unix:/s?mode=0666']", 1, 17, "health_listen[0]",
                "is already in listen"),
            BadDocument(
                "health_listen: ['127.0.0.1:8080']", 1, 17, "health_listen[0]", "is already in listen (its default)"),
            BadDocument(
                "listen: ['127.0.0.1:1']\nhealth_listen: ['0.0.0.0:1']", 2, 17, "health_listen[0]",
                "conflicts with 127.0.0.1:1 of listen: one of them is the wildcard address"),
            BadDocument("listen: ['[::]:1', '[::1]:1']", 1, 20, "listen[1]", "conflicts with [::]:1"),
        ]

    private static let syntax = [
        BadDocument("a: [", 2, 1, nil, "is not YAML: "),
        BadDocument("\tx: 1", 1, 1, nil, "is not YAML: "),
        BadDocument("workers: 1\n---\nworkers: 2", 2, 1, nil, "a second document begins here"),
        BadDocument("hosts: [*w]", 1, 9, nil, "the alias *w has no anchor &w before it"),
        BadDocument("<<: 5", 1, 5, nil, "<< merges a mapping or a list of mappings, got the number 5"),
        BadDocument("workers: !!int '1'", 1, 10, nil, "tags (!!int) are not supported"),
        BadDocument("hosts: !x [a]", 1, 8, nil, "tags (!x) are not supported"),
        BadDocument(String(repeating: "[", count: 2000), 1, 17, nil, "more than 16 levels"),
        BadDocument("hosts: [a]\n# \u{1}", 2, 3, nil, "is not YAML: control characters"),
    ]

    @Test(arguments: [keys, types, values, listeners, syntax].joined())
    func aBadDocumentHasOneProblemWithItsPosition(document: BadDocument) throws {
        let found = try problems(document.text)
        let problem = try #require(found.first)
        #expect(found.count == 1, "\(found)")
        #expect(problem.position == TextPosition(line: document.line, column: document.column))
        #expect(problem.path == document.path)
        #expect(problem.reason.contains(document.reason), "\(problem.reason)")
    }

    @Test func allProblemsAreReportedInTheOrderOfTheLines() throws {
        let found = try problems(
            "workers: x\nnonsense: 1\nlog: {level: loud}\nauth: {tokens_file: none-such}\nlisten: ['a', 'b:1']",
            environment: ["CONNECTD_WORKERS": "y"], flags: Flags(listen: ["z"]))
        #expect(found.compactMap(\.position?.line) == [1, 2, 3, 4, 5, 5])
        #expect(found.suffix(2).map(\.source) == [.environment("CONNECTD_WORKERS"), .flag("--listen")])
    }

    @Test func exponentialAliasesAreRejectedEarly() throws {
        var text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
        for index in 0..<9 {
            let aliases = Array(repeating: index == 0 ? "*a" : "*a\(index - 1)", count: 9).joined(separator: ", ")
            text += "a\(index): &a\(index) [\(aliases)]\n"
        }
        #expect(
            try problems(text).map(\.reason) == [
                "the aliases expand to more than 1 MiB: use fewer of them"
            ])
    }

    @Test func aFileThatIsNotUTF8IsRejectedWithTheLine() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Array("workers: 1\nhosts: [".utf8) + [0xFF, 0xFE], to: "connectd.yaml")
        let error = #expect(throws: ConfigurationProblems.self) { try SettingsLoader.load(file: file) }
        #expect(error?.description == "\(file):2:1: is not UTF-8 text")
    }

    @Test func aMissingFileIsNamed() throws {
        let error = #expect(throws: ConfigurationProblems.self) {
            try SettingsLoader.load(file: "/no/such/connectd.yaml")
        }
        #expect(error?.description == "/no/such/connectd.yaml: cannot be read: No such file or directory")
    }

    @Test func aFileOverOneMebibyteIsRejected() throws {
        let folder = try TemporaryFolder()
        let fits = try folder.write(String(repeating: "#", count: 1 << 20), to: "fits.yaml")
        _ = try SettingsLoader.load(file: fits)
        let large = try folder.write(String(repeating: "#", count: 1 << 20 + 1), to: "large.yaml")
        let error = #expect(throws: ConfigurationProblems.self) { try SettingsLoader.load(file: large) }
        #expect(error?.problems.first?.reason == "is larger than 1 MiB")
    }

    @Test func controlCharactersDoNotReachTheTerminal() throws {
        let found = try problems("log: {level: \"a\\e[31m\\nb\"}\n\"\\e[2J\": 1")
        #expect(found.count == 2)
        #expect(!found.map(\.description).joined().unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test func aProblemHasTheFormatOfACompilerMessage() throws {
        let problem = try #require(try problems("limits:\n  queue: many").first)
        #expect(
            problem.description.hasSuffix(
                "connectd.yaml:2:10: limits.queue: must be an integer in plain decimal digits, got the string \"many\""
            ))
    }
}
