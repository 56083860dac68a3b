import CheckModel
import Foundation
@testable import Presets
import Testing

/// The files that the fuzzer starts from.
@Suite struct CorpusTests {
    private struct ConstantGenerator: RandomNumberGenerator {
        mutating func next() -> UInt64 { 0x4141_4141_4141_4141 }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Fuzz/corpus/presets")

    /// Files that the fuzzer has added have a hash as their name.
    @Test func `each file with a preset's name is an answer to it`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path())
            .filter { name in UDPPreset.allCases.contains { name.hasPrefix($0.rawValue) } }
        #expect(names.count >= 14)
        for name in names {
            let input = [UInt8](try Data(contentsOf: Self.folder.appending(path: name)))
            let first = try #require(input.first)
            let preset = UDPPreset.allCases[Int(first & 127)]
            var generator = ConstantGenerator()
            let question = preset.question(port: first < 128 ? 1 : 4500, using: &generator)
            let answer = try question.answer(Array(input.dropFirst()), .example)
            #expect(name.hasPrefix(answer.preset.rawValue), "\(name)")
        }
    }
}
