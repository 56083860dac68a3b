import NetworkTypes
import Testing

/// Text that could look like other text.
@Suite struct VisibleTextTests {
    @Test(arguments: ["", "plain", "café", "東京", "Ελλάδα", "e\u{301}", "a b", "C:\\x", "\u{A0}", "🙂"])
    func visibleTextIsUnchanged(text: String) {
        #expect(VisibleText.of(text) == text)
    }

    @Test(arguments: [
        ("a\u{2028}b", "a\\u{2028}b"), ("a\u{2029}b", "a\\u{2029}b"), ("\u{202E}gpj.exe", "\\u{202E}gpj.exe"),
        ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"), ("\u{200E}\u{200F}\u{61C}", "\\u{200E}\\u{200F}\\u{61C}"),
        ("a\u{85}b", "a\\u{85}b"), ("\u{9B}31m", "\\u{9B}31m"), ("\u{1B}[31m", "\\u{1B}[31m"), ("\u{7F}", "\\u{7F}"),
        ("a\nb\r\tc\0", "a\\nb\\r\\tc\\u{0}"), ("\u{FEFF}x", "\\u{FEFF}x"), ("a\u{AD}b", "a\\u{AD}b"),
        ("\u{200B}\u{200D}", "\\u{200B}\\u{200D}"), ("\u{E0041}", "\\u{E0041}"), ("\u{3164}", "\\u{3164}"),
        ("\u{E000}", "\\u{E000}"), ("\u{FE0F}", "\\u{FE0F}"), ("é\u{202E}", "é\\u{202E}"),
    ])
    func invisibleCharactersAreEscaped(text: String, visible: String) {
        #expect(VisibleText.of(text) == visible)
    }

    @Test(arguments: [
        ("a\nb", "a\\nb"), (String(repeating: "é", count: 63), String(repeating: "é", count: 63)),
        (String(repeating: "a", count: 64), String(repeating: "a", count: 63) + "…"),
        ("e" + String(repeating: "\u{301}", count: 1000), "e" + String(repeating: "\u{301}", count: 62) + "…"),
    ])
    func anExcerptIsShortAndVisible(text: String, shown: String) {
        #expect(VisibleText.excerpt(of: text) == shown)
    }
}
