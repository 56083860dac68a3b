import AccessPolicy
import NetworkTypes
import Testing

@Suite struct PatternTests {
    @Test(arguments: [
        ("/run/x.sock", "/run/x.sock", true), ("/run/x.sock", "/run/x.sockx", false),
        ("/run/x.sock", "/run/x_sock", false),
        ("/run/*.sock", "/run/.sock", true), ("/run/*.sock", "/run/a/b.sock", false), ("/run/*/x", "/run/a/x", true),
        ("/run/*/x", "/run/x", false), ("/run/*", "/run/", true), ("/run/*", "/run/a", true), ("/*", "/a/b", false),
        ("/**", "/a/b", true),
        ("/**", "/", true), ("/run/**", "/run/a/b/c", true), ("/run/**", "/run", false),
        ("/run/**", "/runner/a", false),
        ("/run/**/x", "/run/x", true), ("/run/**/x", "/run/a/x", true), ("/run/**/x", "/run/a/b/x", true),
        ("/run/**/x", "/run/ax", false),
        ("/run/**/x", "/runx", false), ("/run/a**z", "/run/a/b/z", true), ("/run/a**z", "/run/az", true),
        ("/run/**z", "/run/a/z", true),
        ("/**/x", "/x", true), ("/**/**/x", "/x", true), ("/**/**/x", "/a/b/x", true), ("/a***b", "/a/b", true),
        ("/***/b", "/b", true),
        ("/a?c", "/abc", true), ("/a?c", "/a/c", false), ("/a?c", "/ac", false), ("/a?c", "/aéc", true),
        ("/a?c", "/a🦊c", true),
        ("/a??c", "/aéc", false), ("/a??", "/aéé", true), ("/[ab]", "/a", false), ("/[ab]", "/[ab]", true),
        ("/a\\*", "/a\\b", true),
        ("/a*a*a*a*a*a*a*a*a*a*b", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false), ("/A", "/a", false),
        ("@name", "@name", true), ("@name", "/name", false), ("/name", "@/name", false), ("@*", "@a", true),
        ("@*", "@a/b", false), ("@**", "@a/b", true),
        ("@/tmp/.X11-unix/X?", "@/tmp/.X11-unix/X0", true), ("@**/b", "@a/b", true), ("/**", "@/a", false),
    ])
    func pathsMatch(_ pattern: String, name: String, isMatch: Bool) throws {
        let bytes = Array(name.utf8)
        let address: UnixAddress = name.hasPrefix("@") ? .abstract(Array(bytes.dropFirst())) : .path(bytes)
        #expect(try PathPattern(pattern).matches(address) == isMatch)
    }

    @Test(arguments: [
        "", "run/x", "*", "**", "@", "/run//x", "/run/./x", "/run/../x", "/run/", "//run", "/a\0", "/", "~/x",
        "/\(String(repeating: "a", count: 4096))",
    ])
    func pathPatternsThatMatchNothingAreRejected(_ pattern: String) {
        #expect(throws: PolicyRuleError.self) { try PathPattern(pattern) }
    }

    @Test(arguments: [
        ("db.example", "db.example", true), ("db.example", "DB.Example.", true), ("Db.Example.", "db.example", true),
        ("db.example", "a.db.example", false),
        ("*.corp.example", "a.corp.example", true), ("*.corp.example", "a.b.c.corp.example", true),
        ("*.corp.example", "corp.example", false),
        ("*.corp.example", "evilcorp.example", false), ("*.corp.example", "A.CORP.EXAMPLE.", true),
        ("*", "anything.at.all", true), ("*", "a", true),
        ("db-*.example", "db-1.example", true), ("db-*.example", "db-1.a.example", false),
        ("a.*.example", "a.b.example", true),
        ("a.*.example", "a.b.c.example", false), ("db?.example", "db1.example", true),
        ("db?.example", "db.example", false), ("_tcp.x", "_tcp.x", true),
        ("*.corp.example", "a.corp.example.evil", false), ("bücher.example", "xn--bcher-kva.example", true),
        ("*.BÜCHER.example", "a.xn--bcher-kva.example", true), ("*.bücher.example", "a.bucher.example", false),
    ])
    func hostsMatch(_ pattern: String, name: String, isMatch: Bool) throws {
        #expect(try HostPattern(pattern).matches(name) == isMatch)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "a b", "bü*.example", "💩.example", "１.example", "10.0.0.1", "::1", "a/b", "a:80", "a%b",
        "\(String(repeating: "a", count: 64)).b",
    ])
    func hostPatternsThatMatchNothingAreRejected(_ pattern: String) {
        #expect(throws: PolicyRuleError.self) { try HostPattern(pattern) }
    }
}
