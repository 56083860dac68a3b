import StrictJSON
import Testing

struct LimitTests {
    @Test func rejectsDepthSeventeenAtItsOpeningBracket() {
        let deep = String(repeating: "[", count: 17) + String(repeating: "]", count: 17)
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(deep.utf8)) }
        #expect(error?.offset == 16)
        #expect(error?.pointer == String(repeating: "/0", count: 16))
        #expect(error?.detail == "arrays and objects are nested too deeply")
    }

    @Test func countsObjectsAndArraysTogether() {
        let deep = String(repeating: "{\"a\":[", count: 9)
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(deep.utf8)) }
        #expect(error?.pointer == String(repeating: "/a/0", count: 8))
    }

    @Test func survivesAMillionBracketsAtTheLargestDepth() {
        let brackets = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONValue.parse(brackets, limits: JSONLimits(depth: .max))
        }
        #expect(error?.offset == 512)
    }

    @Test func acceptsAConfiguredDepth() throws {
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array("[]".utf8), limits: JSONLimits(depth: 0)) }
        #expect(try JSONValue.parse(Array("1".utf8), limits: JSONLimits(depth: 0)) == .integer(1))
    }

    @Test func rejectsMoreValuesThanTheLimit() throws {
        let limits = JSONLimits(values: 4)
        #expect(try JSONValue.parse(Array("[1,[2]]".utf8), limits: limits) != .null)
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONValue.parse(Array("[1,[2,3]]".utf8), limits: limits)
        }
        #expect(error?.pointer == "/1/1")
        #expect(error?.offset == 6)
    }

    /// Finds duplicates below and above the size from which a set is used.
    @Test(arguments: [1, 15, 16, 17, 18, 5000])
    func findsADuplicateInAnObjectOfAnySize(count: Int) {
        for twice in [0, count / 2, count - 1] {
            let members = (0..<count).map { "\"name\($0)\":0" } + ["\"name\(twice)\":1"]
            let text = "{" + members.joined(separator: ",") + "}"
            let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(text.utf8)) }
            #expect(error?.pointer == "/name\(twice)")
            #expect(error?.offset == text.utf8.count - "\"name\(twice)\":1}".utf8.count)
        }
    }
}
