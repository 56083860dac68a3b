import Configuration
import Testing

@Suite struct BadRuleTests {
    private static let rules: [BadDocument] = [
        BadDocument("{action: permit, cidr: 10.0.0.0/8}", 3, 16, ".action", "\"permit\" is not one of allow, deny"),
        BadDocument("{cidr: 10.0.0.0/8}", 3, 7, "", "is missing the key \"action\""),
        BadDocument("{action: allow}", 3, 7, "", "cidr, path and host"),
        BadDocument("{action: deny, cidr: 10.0.0.0/8, path: /x}", 3, 7, "", "only one of"),
        BadDocument("{action: allow, host: x.example}", 3, 29, ".host", "must deny"),
        BadDocument("{action: deny, host: 10.0.0.1}", 3, 28, ".host", "cidr"),
        BadDocument("{action: allow, cidr: 10.0.0.0/33}", 3, 29, ".cidr", "prefix length"),
        BadDocument("{action: allow, cidr: 10.0.0.1/8}", 3, 29, ".cidr", "write 10.0.0.0/8"),
        BadDocument("{action: allow, cidr: nonsense}", 3, 29, ".cidr", "nonsense"),
        BadDocument("{action: allow, cidr: 10}", 3, 29, ".cidr", "must be a string, got the number 10"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, ports: [70000]}", 3, 49, ".ports[0]", "65535"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, ports: [1, 0]}", 3, 52, ".ports[1]", "65535"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, ports: [-1]}", 3, 49, ".ports[0]", "-1"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, ports: ['9-8']}", 3, 49, ".ports[0]", "before it begins"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, ports: [0x50]}", 3, 49, ".ports[0]", "put it in quotes"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, ports: 80}", 3, 48, ".ports", "must be a list"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, ports: []}", 3, 48, ".ports", "is empty"),
        BadDocument(
            "{action: allow, cidr: 10.0.0.0/8, transports: [sctp]}", 3, 54, ".transports[0]", "\"sctp\" is not one"),
        BadDocument("{action: allow, cidr: 10.0.0.0/8, transports: [unix]}", 3, 53, ".transports", "tcp or udp"),
        BadDocument("{action: allow, path: run}", 3, 29, ".path", "begin with"),
        BadDocument("{action: allow, path: /x, ports: [1]}", 3, 40, ".ports", "no port"),
        BadDocument("{action: allow, path: /x, action: deny}", 3, 33, ".action", "is a duplicate of the key in line 3"),
        BadDocument("{action: allow, path: /x, cdir: 1}", 3, 33, ".cdir", "did you mean \"cidr\"?"),
        BadDocument("text", 3, 7, "", "must be a mapping"),
    ]

    @Test(arguments: rules) func aBadRuleHasOneProblemWithItsPlace(rule: BadDocument) throws {
        let found = try problems("policy:\n  rules:\n    - \(rule.text)\n")
        let problem = try #require(found.first)
        #expect(found.count == 1, "\(found)")
        #expect(problem.position == TextPosition(line: rule.line, column: rule.column))
        #expect(problem.path == "policy.rules[0]" + (rule.path ?? ""))
        #expect(problem.reason.contains(rule.reason), "\(problem.reason)")
    }

    @Test func theProblemsOfOneRuleAreReportedTogether() throws {
        let found = try problems(
            """
            policy:
              rules:
                - {action: allow, cidr: 10.0.0.0/8}
                - action: maybe
                  cidr: 10.0.0.1/8
                  ports: [0, x]
            """)
        #expect(found.compactMap(\.position?.line) == [4, 5, 6, 6])
        #expect(found.compactMap(\.path).allSatisfy { $0.hasPrefix("policy.rules[1].") })
    }
}
