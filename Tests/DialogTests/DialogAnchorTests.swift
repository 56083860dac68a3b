@testable import Dialog
import Testing

/// How a pattern's anchors are found and rewritten.
@Suite struct DialogAnchorTests {
    private func rewritten(_ pattern: String) -> [String?] {
        let anchors = PatternAnchors(Array(pattern.utf8))
        return [anchors.atStart, anchors.afterMatch].map { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test(arguments: [
        "", "a", "[^a]", #"\^"#, #"\\\^"#, "[]^]", "[^]^]", "[[:^alpha:]^]", #"\Q^\E"#, #"[\]^]"#, #"[\Q]^\E^]"#,
        "(?#^)a",
        "(*MARK:^)a", #"\\A"#, #"[\\]A"#, #"a\"#, "[", "(?#", #"\Q^"#, #"(?C"^")a"#,
    ])
    func aPatternWithoutAnAnchorStaysAsItIs(_ pattern: String) {
        #expect(rewritten(pattern) == [nil, nil])
    }

    @Test(
        arguments: [
            ("^a", nil, #"(?:^|\G)a"#), (#"\Aa|b"#, nil, #"\Ga|b"#), (#"\Ga"#, #"\Aa"#, #"\Ga"#),
            (#"[^^]^"#, nil, #"[^^](?:^|\G)"#), (#"\\^"#, nil, #"\\(?:^|\G)"#), ("^*", nil, #"(?:^|\G)*"#),
            (#"\Q^\E^"#, nil, #"\Q^\E(?:^|\G)"#), ("(?#^)^", nil, #"(?#^)(?:^|\G)"#),
        ] as [(String, String?, String)])
    func anAnchorIsRewritten(_ pattern: String, _ atStart: String?, _ afterMatch: String) {
        #expect(rewritten(pattern) == [atStart, afterMatch])
    }

    @Test(arguments: [
        "^(a)(?<n>b)$", #"\A(?:a|^b)+"#, #"(?x) ^ a # ^ comment (^"#, "(?<=^a)b", "(?(?=^)a|b)", "(?m-s:^a)",
        "(?|(^a)|(b))(c)", #"\G(?:^)?"#,
    ])
    func aRewrittenPatternCompilesWithTheSameGroups(_ text: String) throws {
        let pattern = try Pattern(text)
        #expect(pattern.codeAfterMatch != nil)
    }
}
