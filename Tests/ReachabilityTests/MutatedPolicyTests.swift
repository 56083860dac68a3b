import Configuration
import Reachability
import TestSupport
import Testing

@Suite struct MutatedPolicyTests {
    private static let document = """
        version: 1
        defaults: {timeout_ms: 2000, retry_timeouts: 1, labels: {team: net}}
        sets: {db: [db1.internal, 10.2.0.0/30], web: ["[2001:db8::7]", 10.0.0.0/24]}
        rules:
          - &a {name: app reaches postgres, to: [db], ports: [5432, "8000-8009", "u:53"], expect: allowed}
          - {<<: *a, name: b, to: ["tls://api.internal:443"], ports: [22], expect: [refused, timeout]}
          - {name: c, to: [db, web], ports: [https], expect: "!connected", check: {tls: {alpn: [h2]}}}
        """

    /// A damaged policy is read, and its cases can be made, or it has problems with a position.
    @Test(arguments: 0..<20) func aDamagedPolicyIsReadOrRejected(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = "[]{}:,-?&*!|>'\"#%@`\n\t \u{0}\u{85}~<0/.9".utf8.map { $0 } + [0xFF, 0xC3, 0xE2]
        for _ in 0..<100 {
            var bytes = Array(Self.document.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = pieces.randomElement(using: &generator) ?? 0
                default: bytes.insert(pieces.randomElement(using: &generator) ?? 0, at: index)
                }
            }
            do throws(ConfigurationProblems) {
                let root = try YAMLDocument.compose(bytes, file: "policy.yaml")
                let policy = try PolicyReader.read(root, file: "policy.yaml", checkMembers: checkMembers)
                #expect(!policy.cases().isEmpty)
            } catch {
                #expect(!error.problems.isEmpty && error.problems.allSatisfy { $0.position != nil })
            }
        }
    }
}
