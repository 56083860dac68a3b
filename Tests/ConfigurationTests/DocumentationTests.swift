import AccessPolicy
@testable import Configuration
import Foundation
import NetworkTypes
import Testing

/// Compares docs/configuration.md with the key table: both must contain the same keys.
@Suite struct DocumentationTests {
    /// The first cells of a row of a table, without the backticks around the key.
    struct Row {
        let key: String
        let cells: [String]
    }

    private static func document() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
    }

    private static func rows() throws -> [Row] {
        try document().split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return Row(key: cells[0].replacing("`", with: ""), cells: Array(cells.dropFirst()))
        }
    }

    private static func blocks() throws -> [String] {
        try document().components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    /// The keys with user-defined names below them.
    private static let mappings: [(SettingKey, EntryKind)] = KeyTable.keys.compactMap { key in
        guard case .entries(let kind) = key.kind else { return nil }
        return (key, kind)
    }

    @Test func keysAndRowsCorrespond() throws {
        let documented = try Self.rows().map(\.key)
        let elements =
            RuleKey.allCases.map { "policy.rules[].\($0.rawValue)" }
            + MonitorKey.allCases.map { "monitors[].\($0.rawValue)" }
            + ConfirmKey.allCases.map { "monitors[].confirm.\($0.rawValue)" }
            + Self.mappings.flatMap { key, kind in kind.keys.map { "\(key.path).NAME.\($0)" } }
        #expect(documented.sorted() == (KeyTable.keys.map(\.path) + elements).sorted())
    }

    @Test(arguments: KeyTable.keys) func eachRowMatchesTheCode(key: SettingKey) throws {
        let row = try #require(try Self.rows().first { $0.key == key.path })
        let environment = key.isSetByEnvironment ? "`\(key.environmentName)`" : "—"
        #expect(row.cells == [key.kind.words, key.defaultText, environment])
    }

    @Test func defaultsOfNumbersMatchTheCode() {
        for key in KeyTable.keys {
            if case .integer(_, let place) = key.kind {
                #expect(key.defaultText == "\(SettingsDraft()[keyPath: place])", "\(key.path)")
            }
        }
        #expect(KeyTable.key(at: "listen")?.defaultText == SettingsDraft.defaultListen.text)
        #expect(KeyTable.key(at: "log.level")?.defaultText == LogSettings().level.rawValue)
        #expect(KeyTable.key(at: "log.format")?.defaultText == LogSettings().format.rawValue)
    }

    @Test func examplesAreValidAloneAndTogether() throws {
        let folder = try TemporaryFolder()
        let digest = TokenDigest.text(of: TokenDigest.digest(of: Array("0123456789abcdef".utf8)))
        try folder.write("ops:\(digest)\n", to: "tokens")
        for name in ["bgp.key", "fleet.password", "fleet.token"] { try folder.write("key\n", to: name) }
        try folder.write("-----BEGIN NATS USER JWT-----\n-----BEGIN USER NKEY SEED-----\n", to: "fleet.creds")
        let pair = CertificatePair()
        for name in ["internal-ca.pem", "probe.pem", "server.pem", "ca.pem"] {
            try folder.write(pair.certificate, to: name)
        }
        for name in ["probe.key", "server.key"] { try folder.write(pair.key, to: name) }
        let examples = try Self.blocks()
        try folder.write("modules: {tcp_connect: {prober: tcp}}\n", to: "blackbox.yml")
        #expect(examples.count == 10)
        let joined = examples.filter { !$0.hasPrefix("# An alternative.") }.joined()
        for (index, example) in (examples + [joined]).enumerated() {
            let file = try folder.write(example, to: "example-\(index).yaml")
            #expect(try SettingsLoader.load(file: file).warnings.isEmpty)
        }
    }

    @Test func rowsOfMonitorsMatchTheCode() throws {
        let monitor = try #require(try load("monitors: [{name: a, check: {}}]").settings.monitors.first)
        let cells: [MonitorKey: [String]] = [
            .name: [EntryName.rule, "required"],
            .required: ["true, false", "\(monitor.isRequired)"],
            .interval: [Self.words(MonitorKey.intervalRange), "\(monitor.intervalMilliseconds)"],
            .upAfter: [Self.words(MonitorKey.countRange), "\(monitor.upAfter)"],
            .downAfter: [Self.words(MonitorKey.countRange), "\(monitor.downAfter)"],
            .check: ["a check as `POST /v1/checks` takes it", "required"],
            .confirm: ["mapping", "none"],
        ]
        for key in MonitorKey.allCases {
            let row = try #require(try Self.rows().first { $0.key == "monitors[].\(key.rawValue)" })
            #expect(row.cells.dropLast() == cells[key].map { $0[...] }, "\(key)")
        }
        let confirm = ConfirmSettings()
        for (key, number) in [(ConfirmKey.ask, confirm.ask), (.agree, confirm.agree)] {
            let row = try #require(try Self.rows().first { $0.key == "monitors[].confirm.\(key.rawValue)" })
            #expect(row.cells.dropLast() == [Self.words(ConfirmKey.range), "\(number)"][...], "\(key)")
        }
    }

    private static func words(_ range: ClosedRange<Int>) -> String {
        ValueKind.integer(range, \.workers).words
    }

    @Test func defaultsOfThePolicyMatchTheCode() throws {
        let onLoopback = try load("").settings.policy
        let elsewhere = try SettingsLoader.load(
            file: nil,
            environment: ["CONNECTD_POLICY__PROFILE": "rules"],
            flags: Flags(listen: ["10.0.0.7:80"], allowAnonymous: true)
        ).settings.policy
        #expect(
            KeyTable.key(at: "policy.dialogs")?.defaultText
                == "\(onLoopback.dialogs.rawValue) on loopback, else \(elsewhere.dialogs.rawValue)")
        #expect(onLoopback.options.count == 4 && elsewhere.options.isEmpty)
        #expect(KeyTable.key(at: "policy.options")?.defaultText == "all on loopback, else none")
        #expect(
            KeyTable.key(at: "policy.profile")?.defaultText
                == "\(onLoopback.profile.rawValue) on loopback, else \(try Self.profileBesideRules().rawValue)")
    }

    private static func profileBesideRules() throws -> Policy.Profile {
        let folder = try TemporaryFolder()
        let text = "listen: [10.0.0.7:80]\npolicy: {rules: [{action: allow, cidr: 10.0.0.0/8}]}\n"
        let file = try folder.write(text, to: "connectd.yaml")
        return try SettingsLoader.load(file: file, flags: Flags(allowAnonymous: true)).settings.policy.profile
    }

    @Test func filesHaveNoDefault() {
        for key in KeyTable.keys {
            guard case .file(let place) = key.kind else { continue }
            #expect(SettingsDraft()[keyPath: place] == nil && key.defaultText == "none", "\(key.path)")
        }
    }

    @Test func examplesContainEachKey() throws {
        var composer = YAMLComposer(file: "examples.yaml")
        let root = try #require(composer.compose(Array(try Self.blocks().joined().utf8)))
        let shown = Self.keys(of: root, at: "")
        for key in try Self.rows().map(\.key) {
            #expect(shown.contains(key), "no example shows \(key)")
        }
    }

    /// The paths of a document as the tables name them: `monitors[].name`, `md5_keys.NAME.file`.
    private static func keys(of node: YAMLNode, at path: String) -> Set<String> {
        switch node.content {
        case .scalar, .refused: [path]
        case .sequence(let elements):
            elements.reduce(into: [path]) { $0.formUnion(keys(of: $1, at: path + "[]")) }
        case .mapping(let entries):
            entries.reduce(into: [path]) { found, entry in
                let word = mappings.contains { $0.0.path == path } ? "NAME" : entry.key.text
                if KeyTable.key(at: path)?.kind.isLabels == true { return }
                found.formUnion(keys(of: entry.value, at: path.isEmpty ? word : "\(path).\(word)"))
            }
        }
    }
}

extension ValueKind {
    fileprivate var isLabels: Bool {
        if case .labels = self { true } else { false }
    }
}

extension SettingKey: CustomTestStringConvertible {
    package var testDescription: String { path }
}
