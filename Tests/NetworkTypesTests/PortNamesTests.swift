import Foundation
import NetworkTypes
import Testing

@Suite struct PortNamesTests {
    @Test func theTableMatchesTheSpecification() throws {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: repository.appending(path: "openapi/openapi.yaml"), encoding: .utf8)
        let lines = text.split(separator: "\n").drop { !$0.hasPrefix("x-port-names:") }.dropFirst()
        var specified: [String: UInt16] = [:]
        for line in lines.prefix(while: { $0.hasPrefix("  ") }) {
            let parts = line.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
            specified[parts[0]] = try #require(parts.count == 2 ? UInt16(parts[1]) : nil)
        }
        #expect(specified.count == 32)
        #expect(PortNames.table == specified)
    }
}
