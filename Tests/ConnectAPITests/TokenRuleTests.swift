import Configuration
@testable import ConnectAPI
import Testing

/// Bearer tokens, RFC 6750.
@Suite struct TokenRuleTests {
    private let rule = TokenRule(tokens: [
        token("grafana", "a-long-enough-secret"), token("ci", "another-long-secret="),
    ])

    private static func token(_ name: String, _ secret: String) -> BearerToken {
        BearerToken(name: name, digest: Secret(TokenDigest.digest(of: Array(secret.utf8))))
    }

    @Test func `a valid token yields its name`() {
        #expect(rule.token(authorization: "Bearer a-long-enough-secret")?.name == "grafana")
        #expect(rule.token(authorization: "Bearer another-long-secret=")?.name == "ci")
    }

    @Test(arguments: ["bearer", "BEARER", "BeArEr"])
    func `the scheme is case-insensitive`(scheme: String) {
        #expect(rule.token(authorization: "\(scheme) a-long-enough-secret")?.name == "grafana")
    }

    @Test func `several blanks before the token are accepted`() {
        #expect(rule.token(authorization: "Bearer   a-long-enough-secret")?.name == "grafana")
    }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Bearer    ", "a-long-enough-secret", "Basic a-long-enough-secret",
        "Bearera-long-enough-secret", " Bearer a-long-enough-secret", "Bearer a-long-enough-secre",
        "Bearer a-long-enough-secrets", "Bearer A-long-enough-secret", "Bearer a-long-enough-secret ",
        "Bearer a-long-enough-secret, Bearer a-long-enough-secret", "Bearer grafana",
        "Bearer grafana:a-long-enough-secret",
    ])
    func `anything else is refused`(value: String) {
        #expect(rule.token(authorization: value)?.name == nil)
    }

    @Test func `a missing header is refused`() {
        #expect(rule.token(authorization: nil)?.name == nil)
    }

    @Test func `without configured tokens any request is accepted, but no token is valid`() {
        let open = TokenRule(tokens: [])
        #expect(open.isOpen)
        #expect(!rule.isOpen)
        #expect(open.token(authorization: "Bearer a-long-enough-secret")?.name == nil)
        #expect(open.token(authorization: "Bearer ")?.name == nil)
    }
}
