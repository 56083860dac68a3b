import StrictJSON
import Testing

struct NetworkBytesTests {
    private func text(_ bytes: [UInt8], limit: Int = 1024) throws -> String? {
        var writer = JSONWriter(reserving: 0)
        writer.printable(bytes, limit: limit)
        guard case .string(let text) = try JSONValue.parse(writer.finish()) else { return nil }
        return text
    }

    @Test func escapesEveryByteToPrintableASCII() throws {
        #expect(try text(Array("220 mail \"x\"\r\n\t\\".utf8)) == #"220 mail "x"\r\n\t\\"#)
        #expect(try text([0x00, 0x1B, 0x7F, 0xC3, 0xA9, 0xFF]) == #"\x00\x1B\x7F\xC3\xA9\xFF"#)
        #expect(try text([]) == "")
        for byte in UInt8.min...UInt8.max {
            #expect(try text([byte])?.utf8.allSatisfy { (0x20...0x7E).contains($0) } == true)
        }
    }

    @Test func doesNotTruncateWithinAnEscape() throws {
        #expect(try text(Array("abc".utf8), limit: 2) == "ab")
        #expect(try text([0x61, 0xFF, 0x62], limit: 4) == "a")
        #expect(try text([0x61, 0xFF, 0x62], limit: 5) == #"a\xFF"#)
        #expect(try text(Array("a\\b".utf8), limit: 2) == "a")
        #expect(try text(Array("a".utf8), limit: 0) == "")
        #expect(try text([UInt8](repeating: 0, count: 5000))?.utf8.count == 1024)
    }
}
