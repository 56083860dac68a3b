import StrictJSON
import Testing

/// A document, the position of its error, and a part of the message.
struct Rejection: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let pointer: String
    let offset: Int
    let detail: String

    init(_ text: String, _ pointer: String, _ offset: Int, _ detail: String) {
        self.init(Array(text.utf8), pointer, offset, detail)
    }

    init(_ bytes: [UInt8], _ pointer: String, _ offset: Int, _ detail: String) {
        self.bytes = bytes
        self.pointer = pointer
        self.offset = offset
        self.detail = detail
    }

    var testDescription: String { String(decoding: bytes, as: UTF8.self).debugDescription }
}

struct RejectedDocumentTests {
    static let structure: [Rejection] = [
        Rejection("", "", 0, "the document is empty"),
        Rejection(" \n\t", "", 3, "the document is empty"),
        Rejection("\u{FEFF}{}", "", 0, "byte order mark"),
        Rejection("{} {}", "", 3, "nothing may follow the document, but '{'"),
        Rejection("1 2", "", 2, "nothing may follow"),
        Rejection("truex", "", 4, "nothing may follow"),
        Rejection("{}\0", "", 2, "byte 0x00"),
        Rejection("]", "", 0, "expected a value, found ']'"),
        Rejection("[", "/0", 1, "found the end of the document"),
        Rejection("[1", "", 2, "expected a comma or ']', found the end"),
        Rejection("[1,", "/1", 3, "expected a value, found the end"),
        Rejection("[1,]", "", 2, "a comma must not precede ']'"),
        Rejection("[,1]", "/0", 1, "expected a value, found ','"),
        Rejection("[1,,2]", "/1", 3, "expected a value, found ','"),
        Rejection("[1 2]", "", 3, "expected a comma or ']', found '2'"),
        Rejection("[1}", "", 2, "expected a comma or ']', found '}'"),
        Rejection("{", "", 1, "expected a member name in double quotes"),
        Rejection("{\"a\"", "/a", 4, "expected a colon after the member name"),
        Rejection("{\"a\":", "/a", 5, "expected a value, found the end"),
        Rejection("{\"a\":1", "", 6, "expected a comma or '}', found the end"),
        Rejection("{\"a\":1,}", "", 6, "a comma must not precede '}'"),
        Rejection("{\"a\":1 , }", "", 7, "a comma must not precede '}'"),
        Rejection("{\"a\":1,,\"b\":2}", "", 7, "expected a member name"),
        Rejection("{,}", "", 1, "expected a member name"),
        Rejection("{\"a\" 1}", "/a", 5, "expected a colon"),
        Rejection("{\"a\"::1}", "/a", 5, "expected a value, found ':'"),
        Rejection("{a:1}", "", 1, "expected a member name in double quotes, found 'a'"),
        Rejection("{'a':1}", "", 1, "strings need double quotes"),
        Rejection("{1:1}", "", 1, "expected a member name"),
        Rejection("{\"a\":1]", "", 6, "expected a comma or '}'"),
        Rejection("[/**/]", "/0", 1, "JSON has no comments"),
        Rejection("// x\n1", "", 0, "JSON has no comments"),
        Rejection("[1 # x\n]", "", 3, "JSON has no comments"),
        Rejection("{\"a\":1,\"b\":2,\"a\":3}", "/a", 13, "occurs twice"),
        Rejection("{\"a\":1,\"\\u0061\":2}", "/a", 7, "occurs twice"),
        Rejection("[0,{\"x/y~z\":{\"q\":1,\"q\":1}}]", "/1/x~1y~0z/q", 19, "occurs twice"),
        Rejection("{\"a\":{\"b\":[1,{\"\":tru}]}}", "/a/b/1/", 17, "expected true, false or null"),
        Rejection("\u{A0}1", "", 0, "byte 0xC2"),
        Rejection("\u{C}1", "", 0, "byte 0x0C"),
    ]

    static let scalars: [Rejection] = [
        Rejection("nul", "", 0, "expected true, false or null"),
        Rejection("TRUE", "", 0, "expected a value, found 'T'"),
        Rejection("NaN", "", 0, "NaN and Infinity are not JSON"),
        Rejection("Infinity", "", 0, "NaN and Infinity are not JSON"),
        Rejection("-Infinity", "", 1, "expected a digit, found 'I'"),
        Rejection("01", "", 1, "leading zeros"),
        Rejection("-01", "", 2, "leading zeros"),
        Rejection("[00]", "/0", 2, "leading zeros"),
        Rejection("-", "", 1, "expected a digit, found the end"),
        Rejection("--1", "", 1, "expected a digit, found '-'"),
        Rejection("+1", "", 0, "a number starts with a digit or a minus sign"),
        Rejection(".5", "", 0, "a number starts with a digit or a minus sign"),
        Rejection("1.", "", 2, "expected a digit after the decimal point"),
        Rejection("1.e1", "", 2, "expected a digit after the decimal point"),
        Rejection("1e", "", 2, "expected a digit in the exponent"),
        Rejection("1e+", "", 3, "expected a digit in the exponent"),
        Rejection("1.5.1", "", 3, "nothing may follow"),
        Rejection("0x1F", "", 1, "nothing may follow"),
        Rejection("1_000", "", 1, "nothing may follow"),
        Rejection("[1e400]", "/0", 1, "beyond the range of a double"),
        Rejection("-1e400", "", 0, "beyond the range of a double"),
        Rejection("\"abc", "", 4, "the string is not closed"),
        Rejection("\"abc\\", "", 4, "the string is not closed"),
        Rejection("{\"a", "", 3, "the string is not closed"),
        Rejection("\"a\nb\"", "", 2, "a control character in a string must be escaped"),
        Rejection("\"\0\"", "", 1, "a control character"),
        Rejection("\"\u{1F}\"", "", 1, "a control character"),
        Rejection("\"\\x41\"", "", 1, "a backslash must start one of"),
        Rejection("\"\\'\"", "", 1, "a backslash must start one of"),
        Rejection("\"\\U0041\"", "", 1, "a backslash must start one of"),
        Rejection("\"\\u12\"", "", 1, "four hexadecimal digits"),
        Rejection("\"\\u12g4\"", "", 1, "four hexadecimal digits"),
        Rejection("\"\\u 123\"", "", 1, "four hexadecimal digits"),
        Rejection("\"ab\\ud800\"", "", 3, "a high surrogate must be followed"),
        Rejection("\"\\ud800\\n\"", "", 1, "a high surrogate must be followed"),
        Rejection("\"\\ud800\\ud800\"", "", 1, "a high surrogate must be followed"),
        Rejection("\"\\ud800\\u0041\"", "", 1, "a high surrogate must be followed"),
        Rejection("\"\\udc00\"", "", 1, "a low surrogate must follow"),
    ]

    static let encoding: [Rejection] = [
        ([0x80], "cannot start a character"), ([0xBF], "cannot start a character"),
        ([0xC0, 0x80], "cannot start a character"),
        ([0xC1, 0xBF], "cannot start a character"), ([0xF5, 0x80, 0x80, 0x80], "cannot start a character"),
        ([0xFE], "cannot start a character"), ([0xFF], "cannot start a character"), ([0xC2], "truncated"),
        ([0xC2, 0x41], "truncated"), ([0xE0, 0x80, 0xAF], "overlong"), ([0xE0, 0x9F, 0xBF], "overlong"),
        ([0xE2, 0x82], "truncated"), ([0xE2, 0x82, 0x41], "truncated"), ([0xED, 0xA0, 0x80], "not a character"),
        ([0xED, 0xBF, 0xBF], "not a character"), ([0xF0, 0x80, 0x80, 0x80], "overlong"),
        ([0xF0, 0x8F, 0xBF, 0xBF], "overlong"), ([0xF0, 0x9F, 0x98], "truncated"),
        ([0xF4, 0x90, 0x80, 0x80], "not a character"), ([0xF1, 0x80, 0x80, 0xC0], "truncated"),
    ].map { sequence, detail in
        Rejection(Array("[\"\u{E9}".utf8) + sequence + Array("\"]".utf8), "/0", 4, detail)
    }

    @Test(arguments: structure + scalars + encoding)
    func rejectsWithPositionAndMessage(rejection: Rejection) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(rejection.bytes) }
        #expect(error?.pointer == rejection.pointer)
        #expect(error?.offset == rejection.offset)
        #expect(error?.detail.contains(rejection.detail) == true, "\(error?.detail ?? "")")
    }

    @Test func rejectsATruncatedUTF8Sequence() {
        for cut in [[0xC2], [0xE2], [0xE2, 0x82], [0xF0, 0x9F, 0x98]] as [[UInt8]] {
            let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse([0x22] + cut) }
            #expect(error?.offset == 1)
        }
    }

    @Test func countsLinesAndColumnsInScalarsFromOne() {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONValue.parse(Array("{\r\n  \"\u{1F600}\u{E9}\": nope\n}".utf8))
        }
        #expect(error?.line == 2)
        #expect(error?.column == 9)
        #expect(error?.offset == 15)
        #expect(error?.description == "line 2, column 9: expected true, false or null")
    }
}
