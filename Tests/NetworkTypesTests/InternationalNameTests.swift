import NetworkTypes
import Testing

/// Targets whose host is an internationalized domain name.
@Suite struct InternationalNameTests {
    @Test(arguments: [
        ("münchen.example", "xn--mnchen-3ya.example"), ("MÜNCHEN.Example.", "xn--mnchen-3ya.example."),
        ("mu\u{308}nchen.example", "xn--mnchen-3ya.example"), ("straße.example", "xn--strae-oqa.example"),
        ("ẞ.example", "ss.example"), ("ς.example", "xn--3xa.example"), ("日本語。jp", "xn--wgv71a119e.jp"),
        ("日本語.ｊｐ．", "xn--wgv71a119e.jp."), ("h\u{3002}example", "h.example"), ("x\u{FF61}y", "x.y"),
        ("раураl.example", "xn--l-7sba6dbr.example"), ("α.б.example", "xn--mxa.xn--90a.example"),
        ("א1.example", "xn--1-zhc.example"), ("क्\u{200D}ष.example", "xn--11b2ezcw70k.example"),
        ("_dmarc.ü.example", "_dmarc.xn--tda.example"), ("ü.xn--tda.example", "xn--tda.xn--tda.example"),
        ("İ.example", "xn--i-9bb.example"), ("ａｂｃ.example", "abc.example"), ("1.ü", "1.xn--tda"),
    ])
    func becomeASCII(_ name: String, ascii: String) throws {
        let target = try Target(parsing: "tls://\(name):443")
        #expect(target.peer == .tcp(.name(ascii), port: 443))
        #expect(target.text == "tls://\(name):443")
        #expect(try Host(member: name) == .name(ascii))
    }

    @Test(arguments: [
        "xn--mnchen-3ya.example", "XN--MNCHEN-3YA.example", "xn--80ak6aa92e.com", "xn--ls8h.la", "xn-a", "xn",
    ])
    func asciiFormsStayAsWritten(_ name: String) throws {
        #expect(try Host(member: name) == .name(name))
    }

    @Test(arguments: [
        ("💩.la", "\"💩\" has U+1F4A9, which IDNA2008"), ("ü☃.net", "U+2603"), ("≠.example", "U+2260"),
        ("ü\u{10FFFF}", "U+10FFFF"), ("ü_x.example", "IDNA2008"), ("ü.⒈", "U+2488"),
        ("a\u{200B}b", "invisible characters, got U+200B"), ("ü\u{AD}", "U+00AD"), ("\u{FEFF}ü", "U+FEFF"),
        ("ü\u{2060}", "U+2060"), ("❤\u{FE0F}.ws", "U+FE0F"), ("a\u{200D}b", "joiner"), ("ü\u{200C}", "joiner"),
        ("ü\u{3000}", "white space, got U+3000"), ("ü\u{A0}b", "white space"),
        ("ü\u{85}", "control character, got U+0085"),
        ("ü\u{0}", "NUL"), ("ü b", "white space"), ("\u{308}a.example", "begin with a combining mark"),
        ("abא.example", "right-to-left"), ("1א.example", "right-to-left"), ("ü..b", "empty label"),
        (".ü", "empty label"),
        ("ü。。", "empty label"), ("。", "empty label"), ("ab--ü", "third and fourth"), ("-ü", "hyphen"), ("ü-", "hyphen"),
        ("ü%41", "percent"), ("ü*", "letters, digits"), ("℀", "letters, digits"), ("a／b", "letters, digits"),
        ("\(String(repeating: "ü", count: 60)).example", "63 bytes"),
        ("\(String(repeating: "a", count: 64)).ü", "63 bytes"),
        ("\(String(repeating: "ü.", count: 40))example", "253 bytes"),
        ("\(String(repeating: "ü.", count: 2000))example", "253 bytes"), (String(repeating: "ü", count: 3000), "bytes"),
        ("１２７.0.0.1", "write 127.0.0.1"), ("127。0。0。1", "write 127.0.0.1"), ("①②⑦.0.0.1", "127.0.0.1"),
        ("１２７.1", "in ASCII it is \"127.1\""), ("ü.２", "is a number"), ("ü.0x1f", "is a number"),
        ("0ｘ7f.1", "is a number"),
        ("ü.𝟏", "is a number"), ("２１３０７０６４３３", "is a number"),
        ("xn--", "xn--"), ("xn--a", "\"xn--a\" begins with xn--"), ("a.xn--99999999", "xn--99999999"),
        ("xn--abc-", "xn--"),
        ("xn--ü", "xn--"), ("ü.xn--a", "xn--a"), ("XN--0000.example", "XN--0000"),
    ])
    func areRefused(_ name: String, because word: String) {
        do {
            Issue.record("read as \(try Host(member: name))")
        } catch {
            #expect(error.detail.contains(word), "\(error.detail)")
            #expect(error.member == .host)
            #expect(error.detail.utf8.count < 500)
        }
    }
}
