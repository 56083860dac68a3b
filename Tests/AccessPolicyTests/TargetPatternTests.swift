@testable import AccessPolicy
@testable import NetworkTypes
import Testing

/// Target patterns, as in `client_certificates`.
@Suite struct TargetPatternTests {
    @Test(arguments: [
        (
            "*.internal:443", ["tcp://a.internal:443", "tls://A.B.INTERNAL.:443"],
            ["tcp://internal:443", "a.internal:80"]
        ),
        ("db:5432", ["db:5432", "DB:postgresql"], ["db1:5432", "10.0.0.7:5432"]),
        ("*:*", ["a:1", "10.0.0.7:65535", "[::1]:1", "udp://a:1"], ["unix:/run/x", "unix:@x"]),
        ("10.0.0.7:8000-8999", ["10.0.0.7:8000", "10.0.0.7:8999"], ["10.0.0.7:7999", "10.0.0.70:8000", "a:8000"]),
        ("[2001:db8::7]:*", ["[2001:DB8:0::7]:1"], ["[2001:db8::8]:1"]),
        (
            "*.bücher.example:443", ["tls://a.BÜCHER.example:443", "a.xn--bcher-kva.example:443"],
            ["a.bucher.example:443"]
        ),
        ("db-?.x:1", ["db-1.x:1"], ["db-12.x:1", "db-.x:1"]),
    ])
    func aPatternMatchesItsTargets(text: String, matching: [String], others: [String]) throws {
        let pattern = try TargetPattern(parsing: text)
        for target in matching { #expect(pattern.matches(try Target(parsing: target)), "\(target)") }
        for target in others { #expect(!pattern.matches(try Target(parsing: target)), "\(target)") }
    }

    @Test(arguments: [
        "", "db", ":443", "db:", "db:0", "db:https", "a b:1", "a/b:1", "::1:443", "[::1:1", "tcp://h:443",
    ])
    func invalidPatternsAreRejected(text: String) {
        #expect(throws: PolicyRuleError.self) { try TargetPattern(parsing: text) }
    }
}
