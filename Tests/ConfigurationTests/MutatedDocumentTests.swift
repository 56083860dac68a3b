import Configuration
import Testing

@Suite struct MutatedDocumentTests {
    private static let document = """
        listen: ["127.0.0.1:8080", "unix:/run/s"]
        policy:
          profile: internal   # here
          rules:
            - {action: allow, cidr: 10.0.0.0/8, ports: [5432, "8000-8999"]}
            - action: deny
              host: '*.corp.example'
        limits: {queue: 1, in_flight: 2}
        log: {level: "in\\x66o"}
        """

    /// A damaged file yields settings, or problems with a position inside the file.
    @Test(arguments: 0..<20) func aDamagedDocumentIsReadOrRejected(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        var generator = SplitMix(state: seed)
        let pieces = "[]{}:,-?&*!|>'\"#%@`\n\t \u{0}\u{85}~<0".utf8.map { $0 } + [0xFF, 0xC3, 0xE2]
        for _ in 0..<50 {
            var bytes = Array(Self.document.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = pieces.randomElement(using: &generator) ?? 0
                default: bytes.insert(pieces.randomElement(using: &generator) ?? 0, at: index)
                }
            }
            let file = try folder.write(bytes, to: "connectd.yaml")
            let lines = bytes.count { $0 == 0x0A || $0 == 0x0D || $0 == 0x85 } + 2
            do {
                _ = try SettingsLoader.load(file: file)
            } catch {
                #expect(!error.problems.isEmpty)
                #expect(error.problems.allSatisfy { (1...lines).contains($0.position?.line ?? 0) })
            }
        }
    }
}

/// SplitMix64: the same numbers in each run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
