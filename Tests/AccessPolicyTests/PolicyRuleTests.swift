import AccessPolicy
import NetworkTypes
import Testing

@Suite struct PolicyRuleTests {
    @Test func theFirstRuleThatMatchesWins() throws {
        let policy = Policy(
            profile: .rules,
            rules: [
                try PolicyRule(action: .deny, cidr: "10.1.0.0/16"),
                try PolicyRule(
                    action: .allow, cidr: "10.0.0.0/8", ports: [PortRange(5432), PortRange(parsing: "8000-8999")],
                    transports: [.tcp]),
                try PolicyRule(action: .deny, cidr: "10.0.0.0/8", ports: [PortRange(53)]),
                try PolicyRule(action: .allow, cidr: "10.0.0.0/8", transports: [.udp]),
                try PolicyRule(action: .allow, cidr: "2001:db8::/32"),
            ])
        for (question, verdict) in [
            ("tcp 10.0.0.1 5432", "allow"), ("tcp 10.0.0.1 8000", "allow"), ("tcp 10.0.0.1 8999", "allow"),
            ("tcp 10.0.0.1 9000", "deny profile"), ("tcp 10.0.0.1 7999", "deny profile"),
            ("udp 10.0.0.1 5432", "allow"),
            ("udp 10.0.0.1 53", "deny rule(index: 2)"), ("tcp 10.0.0.1 53", "deny rule(index: 2)"),
            ("tcp 10.1.0.1 5432", "deny rule(index: 0)"), ("tcp 11.0.0.1 5432", "deny profile"),
            ("tcp 2001:db8::1 1", "allow"), ("tcp 2001:db9::1 1", "deny profile"),
        ] {
            #expect(try policy.verdict(on: question) == verdict, "\(question)")
        }
    }

    @Test(arguments: [
        ("169.254.0.0/16", "tcp 169.254.169.254 80", "deny cloudMetadata"),
        ("0.0.0.0/0", "tcp 0.0.0.0 80", "deny unspecified"),
        ("169.254.169.254/31", "tcp 169.254.169.254 80", "deny cloudMetadata"),
        ("169.254.169.254", "tcp 169.254.169.254 80", "allow"),
        ("169.254.169.254/32", "tcp ::ffff:169.254.169.254 80", "allow"),
        ("169.254.169.254/32", "tcp ::169.254.169.254 80", "deny reserved"),
        ("::ffff:169.254.169.254", "tcp ::ffff:169.254.169.254 80", "allow"),
        ("::ffff:0:0/96", "tcp ::ffff:169.254.169.254 80", "deny cloudMetadata"),
        ("::ffff:169.254.169.254", "tcp 169.254.169.254 80", "deny cloudMetadata"),
        ("fe80::/10", "tcp fe80::1 80", "deny linkLocal"),
        ("fe80::1", "tcp fe80::1%eth0 80", "allow"), ("::/0", "tcp ff02::1 80", "deny multicast"),
        ("ff02::1", "udp ff02::1 80", "allow"),
        ("255.255.255.255", "udp 255.255.255.255 80", "allow"), ("240.0.0.0/4", "tcp 240.0.0.1 80", "deny reserved"),
        ("240.0.0.1", "tcp 240.0.0.1 80", "allow"),
        ("127.0.0.0/8", "tcp 127.0.0.1 8080", "deny ownListener"), ("127.0.0.1", "tcp 127.0.0.1 8080", "allow"),
        ("10.0.0.9", "tcp 10.0.0.9 8080", "allow"), ("10.0.0.8/30", "tcp 10.0.0.9 8080", "deny ownListener"),
        ("2002:7f00:1::1", "tcp 2002:7f00:1::1 8080", "allow"), ("127.0.0.1", "tcp ::ffff:127.0.0.1 8080", "allow"),
        ("127.0.0.1", "tcp 127.0.0.2 8080", "deny ownListener"),
        ("2002::/16", "tcp 2002:7f00:1::1 8080", "deny ownListener"),
    ])
    func onlyARuleForOneAddressOverridesAHardDenial(_ cidr: String, question: String, verdict: String) throws {
        let policy = Policy(rules: [try PolicyRule(action: .allow, cidr: cidr)], ownPorts: [8080])
        #expect(try policy.verdict(on: question) == verdict)
    }

    @Test func aRuleForOneAddressKeepsItsPosition() throws {
        let metadata = try PolicyRule(action: .allow, cidr: "169.254.169.254", ports: [PortRange(80)])
        let denial = try PolicyRule(action: .deny, cidr: "169.254.0.0/16")
        let wide = try PolicyRule(action: .allow, cidr: "0.0.0.0/0")
        #expect(try Policy(rules: [denial, metadata]).verdict(on: "tcp 169.254.169.254 80") == "deny rule(index: 0)")
        #expect(try Policy(rules: [metadata, denial]).verdict(on: "tcp 169.254.169.254 80") == "allow")
        #expect(try Policy(rules: [wide, metadata]).verdict(on: "tcp 169.254.169.254 80") == "allow")
        #expect(try Policy(rules: [wide, metadata]).verdict(on: "tcp 169.254.169.254 81") == "deny cloudMetadata")
    }

    @Test func rulesApplyToEmbeddedAddresses() throws {
        let denial = try PolicyRule(action: .deny, cidr: "10.0.0.0/8")
        let outer = try PolicyRule(action: .allow, cidr: "64:ff9b::10.0.0.1")
        let prefix = try PolicyRule(action: .allow, cidr: "64:ff9b::/96")
        let inner = try PolicyRule(action: .allow, cidr: "10.0.0.0/8")
        let question = "tcp 64:ff9b::10.0.0.1 80"
        #expect(try Policy(rules: [denial]).verdict(on: question) == "deny rule(index: 0)")
        #expect(try Policy(rules: [prefix, denial]).verdict(on: question) == "deny rule(index: 1)")
        #expect(try Policy(rules: [denial, outer]).verdict(on: question) == "deny rule(index: 0)")
        #expect(try Policy(rules: [outer, denial]).verdict(on: question) == "allow")
        #expect(try Policy(profile: .rules, rules: [prefix]).verdict(on: question) == "deny profile")
        #expect(try Policy(profile: .rules, rules: [inner]).verdict(on: question) == "deny profile")
        #expect(try Policy(profile: .rules, rules: [prefix, inner]).verdict(on: question) == "allow")
        #expect(try Policy(profile: .public, rules: [inner]).verdict(on: question) == "allow")
        #expect(try Policy(profile: .rules, rules: [outer]).verdict(on: question) == "allow")
    }

    @Test func hostNameRulesOnlyDeny() throws {
        let policy = Policy(
            rules: [
                try PolicyRule(action: .allow, cidr: "0.0.0.0/0"),
                try PolicyRule(action: .deny, host: "*.Corp.example."),
                try PolicyRule(action: .deny, host: "db-*.example", ports: [PortRange(22)]),
            ])
        #expect(try policy.verdict(on: "host a.corp.example") == "deny rule(index: 1)")
        #expect(try policy.verdict(on: "host corp.example") == "allow")
        #expect(try policy.verdict(on: "host db-1.example") == "deny rule(index: 2)")
        #expect(policy.judgeHost("db-1.example", port: 80, transport: .tcp) == .allow)
        #expect(policy.judgeHost("db-1.example", port: 22, transport: .tcp) == .deny(.rule(index: 2)))
    }

    @Test func unixPathsFollowTheRules() throws {
        let policy = Policy(
            profile: .public,
            rules: [
                try PolicyRule(action: .deny, path: "/run/app/secret*"),
                try PolicyRule(action: .allow, path: "/run/app/**"),
                try PolicyRule(action: .allow, cidr: "0.0.0.0/0"), try PolicyRule(action: .allow, path: "@app-?"),
                try PolicyRule(action: .allow, path: "/run/own/exact.sock", transports: [.unix, .tcp]),
            ], ownPaths: [.path(Array("/run/app/http.sock".utf8)), .path(Array("/run/own/exact.sock".utf8))])
        for (question, verdict) in [
            ("unix /run/app/x.sock", "allow"), ("unix /run/app/a/b/x.sock", "allow"),
            ("unix /run/app", "deny unixPath"),
            ("unix /run/app/secret.sock", "deny rule(index: 0)"),
            ("unix /run//app/./secret.sock", "deny rule(index: 0)"),
            ("unix /run/app/../x.sock", "deny unixPath"), ("unix /run/app/..x", "allow"), ("unix @app-1", "allow"),
            ("unix @app-12", "deny unixPath"), ("unix @/run/app/x.sock", "deny unixPath"),
            ("unix /app-1", "deny unixPath"),
            ("unix /run/app/http.sock", "deny ownListener"), ("unix /run/app/./http.sock", "deny ownListener"),
            ("unix /run/own/exact.sock", "allow"), ("unix /", "deny unixPath"),
        ] {
            #expect(try policy.verdict(on: question) == verdict, "\(question)")
        }
    }

    @Test func aRuleHasOneMatcherThatFitsItsOtherMembers() {
        func member(_ make: () throws -> PolicyRule) -> PolicyRuleError.Member?? {
            do {
                _ = try make()
                return nil
            } catch {
                return .some((error as? PolicyRuleError)?.member)
            }
        }
        #expect(member { try PolicyRule(action: .allow) } == .some(nil))
        #expect(member { try PolicyRule(action: .deny, cidr: "::/0", host: "a") } == .some(nil))
        #expect(member { try PolicyRule(action: .allow, cidr: "10.0.0.1/8") } == .cidr)
        #expect(member { try PolicyRule(action: .allow, host: "a") } == .host)
        #expect(member { try PolicyRule(action: .allow, path: "run/x") } == .path)
        #expect(member { try PolicyRule(action: .allow, path: "/a", ports: [PortRange(1)]) } == .ports)
        #expect(member { try PolicyRule(action: .allow, path: "/a", transports: [.tcp]) } == .transports)
        #expect(member { try PolicyRule(action: .allow, cidr: "::/0", transports: [.unix]) } == .transports)
        #expect(member { try PolicyRule(action: .deny, host: "a", transports: [.unix]) } == .transports)
        #expect(member { try PolicyRule(action: .allow, cidr: "::/0", ports: []) } == .ports)
        #expect(member { try PolicyRule(action: .allow, cidr: "::/0", transports: []) } == .transports)
        #expect(member { try PolicyRule(action: .allow, cidr: "::/0", transports: [.udp]) } == nil)
    }

    @Test(arguments: [
        "", "-", "1-", "-1", "0", "65536", "1-65536", "0-1", "9-8", "1-2-3", " 1", "1 - 2", "+1", "a", "٣", "000001",
    ])
    func rejectsInvalidPortRanges(_ text: String) {
        #expect(throws: PolicyRuleError.self) { try PortRange(parsing: text) }
    }
}
