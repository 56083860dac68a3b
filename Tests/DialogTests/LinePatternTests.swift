@testable import Dialog
import Testing

/// Patterns of modules: RE2 as Go's `regexp` reads it. `test_blackbox_patterns.py` compares them with blackbox_exporter.
@Suite struct LinePatternTests {
    private static func match(_ pattern: String, _ line: [UInt8]) throws -> [Range<Int>?]? {
        try LinePattern(Array(pattern.utf8)).match(line)
    }

    private static func flaw(_ pattern: String) -> String? {
        do throws(Flaw) {
            _ = try LinePattern(Array(pattern.utf8))
            return nil
        } catch {
            return error.detail
        }
    }

    @Test(arguments: [
        ("^+OK", "+OK no", false), ("^+OK", "OK ready", true), ("^*OK", "x OK", true), ("$*a", "a", true),
        (#"\b+a"#, "b a", true), (#"a\z"#, "ba", true), ("^caf.$", "café", true), ("(?i)^CAFÉ$", "café", true),
        ("(?i)^straße$", "STRAẞE", true), (#"^\pL+$"#, "naïve日本", true), (#"^[[:alpha:]]+$"#, "é", false),
        (#"^\x{10FFFF}$"#, "\u{10FFFF}", true), (#"\Qa.b\E$"#, "a.b", true), (#"\Qa.b\E$"#, "axb", false),
        ("(?U)^a+$", "aaa", true), ("a|", "b", true), (#"\w"#, "é", false), ("a$", "a\n", false),
        ("(?m)a$", "a\nb", true), ("a.b", "a\nb", false), ("(?s)a.b", "a\nb", true), ("[^a]", "\n", true),
        (#"\B"#, "aéa", false),
    ])
    func aPatternMeansWhatItMeansToGo(pattern: String, line: String, matches: Bool) throws {
        #expect(try (Self.match(pattern, Array(line.utf8)) != nil) == matches)
    }

    @Test func bytesThatAreNotUTF8AreCharacters() throws {
        let line: [UInt8] = [0x61, 0xFF, 0xED, 0xA0, 0x80, 0xC3, 0xA9, 0xE2, 0x82, 0x7A]
        #expect(try Self.match("^a(.{4})(é)(..)(z)$", line) == [0..<10, 1..<5, 5..<7, 7..<9, 9..<10])
        #expect(try Self.match(#"\x{FFFD}+"#, line) == [1..<5])
        #expect(try Self.match("[^a]", [0x61, 0x80]) == [1..<2])
    }

    @Test(arguments: ["(a\nb", "(?P<a\u{1B}>b)", "[\t"])
    func theReasonAgainstAPatternIsOneVisibleLine(pattern: String) throws {
        let flaw = try #require(Self.flaw(pattern))
        #expect(flaw.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(flaw)")
    }

    @Test func groupsThatTakeNoPartAreMissing() throws {
        #expect(try Self.match("(a)|(b)()", [0x62]) == [0..<1, nil, 0..<1, 1..<1])
        #expect(try Self.match("", []) == [0..<0])
    }

    @Test func namesOfGroupsAreReadAsGoReadsThem() throws {
        let pattern = try LinePattern(Array(#"(?P<n>a)(b)(?<n>c)[(?P<x>](?P<1>\(?P<y>)(?:d)\Q(?P<z>\E"#.utf8))
        #expect(pattern.groups.count == 4)
        #expect(pattern.groups.names.map(\.name) == ["n", "n", "1"])
        #expect(pattern.groups.names.map(\.number) == [1, 3, 4])
    }

    @Test(
        arguments: [
            ("(?=a)", "(?="), ("(?!a)", "(?!"), ("(?<=a)", "lookbehind"), ("(?<!a)", "lookbehind"), (#"(a)\1"#, #"\1"#),
            ("a++", "++"), ("a**", "**"), ("(?>a)", "(?>"), ("a{1001}", "{1001}"), ("(a{100}){11}", "{11}"),
            ("a{99999999999}", "{99999999999}"), (#"\C"#, #"\C"#), (#"a\Z"#, #"\Z"#), (#"\G"#, #"\G"#),
            (#"\K"#, #"\K"#),
            ("(?P<é>a)", "named"), ("(?P<n", "named"), ("(?P<>a)", "named"), ("(?P<n>?)", "?"), ("(a", "missing"),
            ("a)", ")"), ("[a", "]"),
            ("[b-a]", "b-a"), (#"\p{Klingon}"#, "Klingon"), (#"\x{110000}"#, #"\x{110000"#), ("(?P=n)", "(?P"),
            (String(repeating: "(", count: 1000) + String(repeating: ")", count: 1000), "nests"),
        ])
    func whatGoRefusesIsRefusedWithTheReason(pattern: String, part: String) throws {
        let flaw = try #require(Self.flaw(pattern))
        #expect(flaw.hasPrefix("is not a pattern of RE2") && flaw.contains(part), "\(flaw)")
    }

    @Test func largeProgramsCompile() throws {
        for pattern in [#"\pL{300}"#, "(?i)[^é]{1000}", String(repeating: "a?", count: 5000)] {
            #expect(Self.flaw(pattern) == nil)
        }
    }

    @Test func aProgramThatIsTooLargeIsRefused() throws {
        let flaw = try #require(Self.flaw(String(repeating: #"\pL{1000}"#, count: 12)))
        #expect(flaw == "is too large: compiled, it takes more than 256 MiB")
    }
}
