import CheckModel
import Testing

/// Application protocol names that a peer without TLS could execute as a command.
@Suite struct ApplicationProtocolsTests {
    @Test(arguments: [
        [], ["h2"], ["h2", "http/1.1"], ["acme-tls/1", "postgresql", "radius/1.0"], ["x-custom"], ["my-proto/1"],
        ["stun.turn", "xmpp-client", "acme-tls/1"], ["x-proto/1", "x-proto/2"], ["h2", "my-proto/1", "x"],
        [String(repeating: "a", count: 31)],
    ])
    func harmlessNamesAreAccepted(_ names: [String]) {
        #expect(ApplicationProtocols.areHarmless(names))
    }

    @Test(arguments: [
        ["\r\nset x 0 0 4\r\nevil\r\n"], ["h2", "a\nb"], ["a b"], ["a\tb"], ["a\u{0}"], ["\u{7F}"], ["é"], ["h2 "],
        [""],
        [String(repeating: "a", count: 32)], [String(repeating: "a", count: 255)],
        // Their length bytes are line feeds, with a command of ten letters between them.
        ["\"FLUSHALL\"", "aaaaaaaaaa"], ["ab.cd:1|c.", "acme-tls/1"], ["postgresql", "ab.cd:1|c."],
        ["abcdefghij", "123456789"], ["stun.turn", "abcdefghijklm"],
    ])
    func namesWithACommandAreRejected(_ names: [String]) {
        #expect(!ApplicationProtocols.areHarmless(names))
    }
}
