import StrictJSON
import TestSupport
import Testing

extension SeededGenerator {
    mutating func text() -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...24, using: &self) {
            let range: ClosedRange<UInt32> =
                switch Int.random(in: 0..<8, using: &self) {
                case 0: 0x00...0x1F
                case 1: 0x22...0x22
                case 2: 0x5C...0x5C
                case 3: 0x80...0x7FF
                case 4: 0x800...0x10FFFF
                case _: 0x20...0x7E
                }
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &self)) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    mutating func value(depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &self))
        case 2: return .integer(Int64(bitPattern: next()) >> Int64.random(in: 0..<64, using: &self))
        case 3:
            let number = Double(bitPattern: next())
            return number.isFinite ? .number(number) : .number(0.1)
        case 4, 5: return .string(text())
        case 6:
            return .array((0..<Int.random(in: 0..<6, using: &self)).map { _ in value(depth: depth - 1) })
        case _:
            var names: [String] = []
            for _ in 0..<Int.random(in: 0..<24, using: &self) {
                let name = text()
                if !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { names.append(name) }
            }
            return .object(JSONObject(members: names.map { .init(key: $0, value: value(depth: depth - 1)) }))
        }
    }
}

struct RoundTripTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func writtenValuesAreReadBackUnchanged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5 {
            let value = generator.value(depth: 4)
            var writer = JSONWriter(reserving: 0)
            writer.value(value)
            let bytes = writer.finish()
            #expect(try JSONValue.parse(bytes) == value)
        }
    }

    static let documents = [
        #"{"target":"tcp://127.0.0.1:8080","timeout_ms":1000}"#,
        #"{"a":[1,-2.5e+3,true,false,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":{}},"d":"é€😀"}"#,
        #"[{"k":0,"l":[[[]]]},"\\\"\/\b",0.1,9223372036854775807]"#,
    ]

    /// For every change of one byte, the reader returns a result, and accepted documents survive a round trip.
    @Test(arguments: documents)
    func everyChangedByteIsAcceptedOrRejectedWithAPosition(document: String) {
        let original = Array(document.utf8)
        for index in original.indices {
            for byte in UInt8.min...UInt8.max {
                var mutated = original
                mutated[index] = byte
                check(mutated)
            }
        }
    }

    @Test(arguments: documents)
    func everyTruncationIsRejectedWithinTheDocument(document: String) {
        let original = Array(document.utf8)
        for count in 0..<original.count {
            let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(original[..<count])) }
            #expect((error?.offset ?? .max) <= count)
        }
    }

    /// Plain conditions, because an expectation takes longer than reading, and there are 40,000 documents.
    private func check(_ bytes: [UInt8]) {
        do throws(JSONSyntaxError) {
            let value = try JSONValue.parse(bytes)
            var writer = JSONWriter()
            writer.value(value)
            if String(validating: bytes, as: UTF8.self) == nil { Issue.record("bad UTF-8 was accepted: \(bytes)") }
            if try JSONValue.parse(writer.finish()) != value { Issue.record("reads back differently: \(bytes)") }
        } catch {
            let isPlace = (0...bytes.count).contains(error.offset) && error.line >= 1 && error.column >= 1
            if !isPlace { Issue.record("no such place: \(error) in \(bytes)") }
        }
    }
}
