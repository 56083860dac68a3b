import CheckModel
import Foundation
import Testing

@testable import Configuration

/// docs/configuration.md against the table of keys: neither knows a key that the other does not.
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

    /// The keys with names of the user's choice below them.
    private static let mappings: [(SettingKey, EntryKind)] = KeyTable.keys.compactMap { key in
        guard case .entries(let kind) = key.kind else { return nil }
        return (key, kind)
    }

    @Test func eachKeyHasOneRowAndEachRowAKey() throws {
        let documented = try Self.rows().map(\.key)
        let elements =
            RuleKey.allCases.map { "policy.rules[].\($0.rawValue)" }
            + MonitorKey.allCases.map { "monitors[].\($0.rawValue)" }
            + Self.mappings.flatMap { key, kind in kind.keys.map { "\(key.path).NAME.\($0)" } }
        #expect(documented.sorted() == (KeyTable.keys.map(\.path) + elements).sorted())
    }

    @Test(arguments: KeyTable.keys) func aRowSaysWhatTheCodeDoes(key: SettingKey) throws {
        let row = try #require(try Self.rows().first { $0.key == key.path })
        guard case .later = key.kind else {
            let environment = key.isSetByEnvironment ? "`\(key.environmentName)`" : "—"
            #expect(row.cells == [key.kind.words, key.defaultText, environment])
            return
        }
        #expect(row.cells == [key.kind.words])
    }

    @Test func theDefaultsOfNumbersAreThoseOfTheCode() {
        for key in KeyTable.keys {
            if case .integer(_, let place) = key.kind {
                #expect(key.defaultText == "\(SettingsDraft()[keyPath: place])", "\(key.path)")
            }
        }
        #expect(KeyTable.key(at: "listen")?.defaultText == SettingsDraft.defaultListen.text)
        #expect(KeyTable.key(at: "log.level")?.defaultText == LogSettings().level.rawValue)
        #expect(KeyTable.key(at: "log.format")?.defaultText == LogSettings().format.rawValue)
    }

    @Test func theExamplesAreValidAloneAndTogether() throws {
        let folder = try TemporaryFolder()
        try folder.write("ops:0123456789abcdef\n", to: "tokens")
        try folder.write("key\n", to: "bgp.key")
        let pair = CertificatePair()
        for name in ["internal-ca.pem", "probe.pem", "server.pem", "ca.pem"] {
            try folder.write(pair.certificate, to: name)
        }
        for name in ["probe.key", "server.key"] { try folder.write(pair.key, to: name) }
        let examples = try Self.blocks()
        try folder.write("modules: {tcp_connect: {prober: tcp}}\n", to: "blackbox.yml")
        #expect(examples.count == 7)
        for (index, example) in (examples + [examples.joined()]).enumerated() {
            let file = try folder.write(example, to: "example-\(index).yaml")
            #expect(try SettingsLoader.load(file: file).warnings.isEmpty)
        }
    }

    @Test func theExamplesShowEachKey() throws {
        let text = try Self.blocks().joined()
        for key in KeyTable.keys {
            if case .later = key.kind { continue }
            let word = key.path.split(separator: ".").last ?? ""
            #expect(text.contains("\(word):"), "\(key.path)")
        }
    }
}

extension SettingKey: CustomTestStringConvertible {
    package var testDescription: String { path }
}
