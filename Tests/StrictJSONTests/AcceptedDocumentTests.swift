import StrictJSON
import Testing

struct AcceptedDocumentTests {
    @Test(arguments: [
        ("null", JSONValue.null),
        (" \t\r\n true \n", .bool(true)),
        ("false", .bool(false)),
        ("0", .integer(0)),
        ("-0", .integer(0)),
        ("-1", .integer(-1)),
        ("60000", .integer(60000)),
        ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("-9223372036854775809", .number(-9_223_372_036_854_775_808)),
        ("18446744073709551616", .number(18_446_744_073_709_551_616)),
        ("1.0", .number(1)),
        ("1e3", .number(1000)),
        ("1E+2", .number(100)),
        ("25e-2", .number(0.25)),
        ("-0.0", .number(0)),
        ("0e1", .number(0)),
        ("1e-999", .number(0)),
        (#""""#, .string("")),
        (#""a/b""#, .string("a/b")),
        (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
        (#""x\u0041\u00e9\u20AC""#, .string("xA\u{E9}\u{20AC}")),
        (#""\ud83d\ude00\uDBFF\uDFFF""#, .string("\u{1F600}\u{10FFFF}")),
        (#""\u0000""#, .string("\0")),
        (
            "\"\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}\"",
            .string("\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}")
        ),
        ("\"\u{2028}\u{FEFF}\"", .string("\u{2028}\u{FEFF}")),
        ("[]", .array([])),
        ("[ ]", .array([])),
        ("[1 , null,\n\"a\"]", .array([.integer(1), .null, .string("a")])),
        ("{}", .object(JSONObject(members: []))),
        ("{ }", .object(JSONObject(members: []))),
        (
            #"{"b":1,"a":{"":[]}}"#,
            .object(
                JSONObject(members: [
                    .init(key: "b", value: .integer(1)),
                    .init(key: "a", value: .object(JSONObject(members: [.init(key: "", value: .array([]))]))),
                ]))
        ),
    ])
    func acceptsEveryFormOfTheGrammar(text: String, expected: JSONValue) throws {
        #expect(try JSONValue.parse(Array(text.utf8)) == expected)
    }

    @Test func acceptsNamesThatAreOnlyCanonicallyEqual() throws {
        let value = try JSONValue.parse(Array("{\"\u{E9}\":1,\"e\u{301}\":2,\"K\":3,\"\u{212A}\":4}".utf8))
        guard case .object(let object) = value else {
            Issue.record("not an object")
            return
        }
        #expect(object.members.count == 4)
        #expect(object["\u{212A}"] == .integer(4))
        #expect(object["K"] == .integer(3))
        #expect(object["absent"] == nil)
    }

    @Test func readsBorrowedMemory() throws {
        let bytes = Array("[true]".utf8)
        #expect(try bytes.withUnsafeBytes { try JSONValue.parse($0) } == .array([.bool(true)]))
    }

    @Test func acceptsDepthSixteenAndTheSameDepthAgain() throws {
        let deep = String(repeating: "[", count: 15) + "{}" + String(repeating: "]", count: 15)
        #expect(try JSONValue.parse(Array(deep.utf8)) != .null)
        // A closed level frees its depth.
        let broad = "[" + Array(repeating: String(deep.dropFirst().dropLast()), count: 20).joined(separator: ",") + "]"
        #expect(try JSONValue.parse(Array(broad.utf8)) != .null)
    }

    @Test func numbersWithManyDigitsAreRoundedOnce() throws {
        let text = "0." + String(repeating: "3", count: 100_000)
        #expect(try JSONValue.parse(Array(text.utf8)) == .number(1.0 / 3))
    }
}
