@testable import ConnectAPI
import Testing

/// Bearer tokens, RFC 6750.
@Suite struct TokenRuleTests {
    private let rule = TokenRule(tokens: [
        ("grafana", Array("a-long-enough-secret".utf8)), ("ci", Array("another-long-secret=".utf8)),
    ])

    @Test func `a token is known by its name`() {
        #expect(rule.name(authorization: "Bearer a-long-enough-secret") == "grafana")
        #expect(rule.name(authorization: "Bearer another-long-secret=") == "ci")
    }

    @Test(arguments: ["bearer", "BEARER", "BeArEr"])
    func `the scheme's case does not matter`(scheme: String) {
        #expect(rule.name(authorization: "\(scheme) a-long-enough-secret") == "grafana")
    }

    @Test func `several blanks may stand before the token`() {
        #expect(rule.name(authorization: "Bearer   a-long-enough-secret") == "grafana")
    }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Bearer    ", "a-long-enough-secret", "Basic a-long-enough-secret",
        "Bearera-long-enough-secret", " Bearer a-long-enough-secret", "Bearer a-long-enough-secre",
        "Bearer a-long-enough-secrets", "Bearer A-long-enough-secret", "Bearer a-long-enough-secret ",
        "Bearer a-long-enough-secret, Bearer a-long-enough-secret", "Bearer grafana",
        "Bearer grafana:a-long-enough-secret",
    ])
    func `anything else is no token`(value: String) {
        #expect(rule.name(authorization: value) == nil)
    }

    @Test func `no header is no token`() {
        #expect(rule.name(authorization: nil) == nil)
    }

    @Test func `without tokens anybody may ask, and no token is right`() {
        let open = TokenRule(tokens: [])
        #expect(open.isOpen)
        #expect(!rule.isOpen)
        #expect(open.name(authorization: "Bearer a-long-enough-secret") == nil)
        #expect(open.name(authorization: "Bearer ") == nil)
    }
}
