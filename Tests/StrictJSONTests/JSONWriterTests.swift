import StrictJSON
import Testing

struct JSONWriterTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(reserving: 0)
        write(&writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test func repeatsBytesThatWereWrittenBefore() {
        let long = String(repeating: "0123456789", count: 40)
        let written = text { writer in
            writer.beginObject()
            let begin = writer.bytes.count
            writer.member("error")
            writer.string(long)
            let range = begin..<writer.bytes.count
            writer.member("attempts")
            writer.beginArray()
            for _ in 0..<3 {
                writer.beginObject()
                writer.again(range)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
        let error = "\"error\":\"\(long)\""
        #expect(written == "{\(error),\"attempts\":[{\(error)},{\(error)},{\(error)}]}")
    }

    /// Strings are copied eight bytes at a time. An escape can be at any offset.
    @Test func escapesAtEveryOffset() {
        for count in 1...25 {
            for place in 0..<count {
                for (character, escape): (Character, String) in [
                    ("\"", "\\\""), ("\\", "\\\\"), ("\n", "\\n"), ("\u{1}", "\\u0001"),
                ] {
                    var characters = [Character](repeating: "a", count: count)
                    characters[place] = character
                    let expected = characters.map { $0 == character ? escape : String($0) }.joined()
                    #expect(text { $0.string(String(characters)) } == "\"\(expected)\"")
                }
            }
        }
    }

    @Test func writesCommasOnlyBetweenMembersAndElements() {
        let written = text { writer in
            writer.beginObject()
            writer.member("empty")
            writer.beginArray()
            writer.endArray()
            writer.member("list")
            writer.beginArray()
            writer.integer(1)
            writer.beginObject()
            writer.endObject()
            writer.null()
            writer.endArray()
            writer.member("ok")
            writer.bool(true)
            writer.member("not")
            writer.bool(false)
            writer.member(escaping: "q\"\n")
            writer.string(",")
            writer.endObject()
        }
        #expect(written == #"{"empty":[],"list":[1,{},null],"ok":true,"not":false,"q\"\n":","}"#)
    }

    @Test func endsALineWithLineFeed() {
        var writer = JSONWriter()
        writer.null()
        #expect(writer.finishLine() == Array("null\n".utf8))
    }

    @Test(arguments: [
        ("", #""""#),
        ("plain", #""plain""#),
        ("eight by", #""eight by""#),
        ("\"\\/", #""\"\\/""#),
        ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
        ("\0\u{1}\u{1F}\u{7F}", "\"\\u0000\\u0001\\u001F\u{7F}\""),
        ("\u{2028}\u{2029}é€😀", "\"\u{2028}\u{2029}é€😀\""),
    ])
    func escapesTheCharactersThatTheGrammarRequires(string: String, expected: String) {
        #expect(text { $0.string(string) } == expected)
    }

    /// Eight bytes are examined together, so each byte value is tested at each offset.
    @Test func findsEachByteThatNeedsAnEscapeAtEachOffset() throws {
        for place in 0..<20 {
            for scalar in (0x00...0xFF as ClosedRange<UInt8>).map(Unicode.Scalar.init) {
                let string = String(repeating: "x", count: place) + String(scalar) + "yyyyyyyyyyyy"
                let bytes = Array(text { $0.string(string) }.utf8)
                #expect(try JSONValue.parse(bytes) == .string(string))
            }
        }
    }

    @Test(arguments: [0, 1, 63, 64, 511, 512, 513, 1023, 1025, 5000])
    func growsWithItsStrings(count: Int) throws {
        for unit in ["a", "\u{1}", "é"] {
            let string = String(repeating: unit, count: count)
            #expect(try JSONValue.parse(Array(text { $0.string(string) }.utf8)) == .string(string))
        }
    }

    @Test(arguments: [
        (0, "0"), (9, "9"), (10, "10"), (-1, "-1"), (65535, "65535"), (Int64.max, "9223372036854775807"),
        (Int64.min, "-9223372036854775808"), (999_999_999_999_999_999, "999999999999999999"),
        (1_000_000_000_000_000_000, "1000000000000000000"),
    ])
    func writesIntegers(number: Int64, expected: String) {
        #expect(text { $0.integer(number) } == expected)
    }

    @Test(arguments: [
        (0, "0"), (300_000, "0.3"), (1_000_000, "1"), (1_100_123, "1.1"), (1_001_000, "1.001"), (20_000, "0.02"),
        (499, "0"), (500, "0.001"), (999_500, "1"), (999_499, "0.999"), (5_000_000_000, "5000"), (-300_000, "-0.3"),
        (-499, "0"), (-500, "-0.001"), (Int64.max, "9223372036854.776"), (Int64.min, "-9223372036854.776"),
    ])
    func writesNanosecondsAsMilliseconds(nanoseconds: Int64, expected: String) {
        #expect(text { $0.milliseconds(nanoseconds: nanoseconds) } == expected)
    }

    @Test(arguments: [
        (0.1, "0.1"), (1e21, "1e+21"), (Double.leastNonzeroMagnitude, "5e-324"), (.nan, "null"), (-.infinity, "null"),
    ])
    func writesFiniteDoubles(number: Double, expected: String) {
        #expect(text { $0.number(number) } == expected)
    }

    @Test func writesNilAsNull() {
        #expect(text { $0.string(nil) } == "null")
        #expect(text { $0.integer(nil) } == "null")
    }

    @Test func writesEncodedFragmentsUnchanged() {
        let fragment = JSONFragment { writer in
            writer.beginArray()
            writer.string("a")
            writer.endArray()
        }
        #expect(fragment.bytes == Array(#"["a"]"#.utf8))
        let written = text { writer in
            writer.beginArray()
            writer.fragment(fragment)
            writer.fragment(fragment)
            writer.endArray()
        }
        #expect(written == #"[["a"],["a"]]"#)
    }
}
