@testable import ConnectAPI
import Testing

/// Bearer tokens, RFC 6750.
@Suite struct TokenRuleTests {
    private let rule = TokenRule(tokens: [
        ("grafana", Array("a-long-enough-secret".utf8)), ("ci", Array("another-long-secret=".utf8)),
    ])

    @Test func `a valid token yields its name`() {
        #expect(rule.name(authorization: "Bearer a-long-enough-secret") == "grafana")
        #expect(rule.name(authorization: "Bearer another-long-secret=") == "ci")
    }

    @Test(arguments: ["bearer", "BEARER", "BeArEr"])
    func `the scheme is case-insensitive`(scheme: String) {
        #expect(rule.name(authorization: "\(scheme) a-long-enough-secret") == "grafana")
    }

    @Test func `several blanks before the token are accepted`() {
        #expect(rule.name(authorization: "Bearer   a-long-enough-secret") == "grafana")
    }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Bearer    ", "a-long-enough-secret", "Basic a-long-enough-secret",
        "Bearera-long-enough-secret", " Bearer a-long-enough-secret", "Bearer a-long-enough-secre",
        "Bearer a-long-enough-secrets", "Bearer A-long-enough-secret", "Bearer a-long-enough-secret ",
        "Bearer a-long-enough-secret, Bearer a-long-enough-secret", "Bearer grafana",
        "Bearer grafana:a-long-enough-secret",
    ])
    func `anything else is refused`(value: String) {
        #expect(rule.name(authorization: value) == nil)
    }

    @Test func `a missing header is refused`() {
        #expect(rule.name(authorization: nil) == nil)
    }

    @Test func `without configured tokens any request is accepted, but no token is valid`() {
        let open = TokenRule(tokens: [])
        #expect(open.isOpen)
        #expect(!rule.isOpen)
        #expect(open.name(authorization: "Bearer a-long-enough-secret") == nil)
        #expect(open.name(authorization: "Bearer ") == nil)
    }
}
