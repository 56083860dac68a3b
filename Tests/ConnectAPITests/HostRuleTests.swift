@testable import ConnectAPI
import Testing

/// The Host headers that the service accepts.
@Suite struct HostRuleTests {
    private let rule = HostRule(names: ["connectd.internal", "Other.Example.", "xn--bcher-kva.example"])

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:8080", "10.0.0.9:1", "[::1]", "[::1]:8080", "[2001:db8::9]:443", "[fe80::1%eth0]:8080",
    ])
    func `an address is accepted, with and without a port`(value: String) {
        #expect(rule.accepts(value))
    }

    @Test(arguments: ["localhost", "localhost:8080", "LOCALHOST", "LocalHost:8080", "localhost.", "localhost.:8080"])
    func `localhost is accepted in any case, with a trailing dot and a port`(value: String) {
        #expect(rule.accepts(value))
    }

    @Test(arguments: [
        "connectd.internal", "CONNECTD.Internal:8080", "connectd.internal.", "connectd.internal.:80", "other.example",
        "xn--bcher-kva.example:80", "BÜCHER.example:80",
    ])
    func `a configured name is accepted like localhost`(value: String) {
        #expect(rule.accepts(value))
    }

    @Test(arguments: ["localhost:", "[::1]:"])
    func `an empty port is the default port`(value: String) {
        #expect(rule.accepts(value))
    }

    @Test(arguments: [
        "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "evil-localhost",
        "internal", "sub.connectd.internal", "connectd.internal.evil.example",
    ])
    func `other names are refused, because of DNS rebinding`(value: String) {
        #expect(!rule.accepts(value))
    }

    @Test(arguments: ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "127.0.0.256", "::1"])
    func `unusual spellings of addresses are refused`(value: String) {
        #expect(!rule.accepts(value))
    }

    @Test(arguments: [
        "", ":", ":8080", ".", "localhost:x", "localhost:80x", "localhost:-1", "localhost:80:80", "localhost: 80",
        "localhost..", " localhost", "[::1", "[::1]8080", "[::1]x:80", "[]", "[]:80", "[localhost]", "user@localhost",
        "localhost/", "localhost:８０",
    ])
    func `a malformed value is refused`(value: String) {
        #expect(!rule.accepts(value))
    }

    @Test(arguments: [
        ("blackbox.monitoring.svc", "blackbox.monitoring.svc"),
        ("BlackBox.Monitoring.SVC.:9115", "blackbox.monitoring.svc"),
        ("blackbox", "blackbox"), ("a_b.example:1", "a_b.example"),
    ])
    func `the refusal contains the missing entry`(value: String, name: String) {
        #expect(!rule.accepts(value))
        #expect(rule.refusal(of: value).contains(#"hosts: ["\#(name)"]"#))
        #expect(HostRule(names: [name]).accepts(value))
    }

    @Test(arguments: ["", ":80", "127.1", "999.1.1.1:80", "[::1", "<script>", "a b", "a\"b", "localhost:x"])
    func `the refusal of an invalid name suggests no entry`(value: String) {
        #expect(!rule.refusal(of: value).contains("hosts:"))
    }

    @Test func `without configured names only addresses and localhost are accepted`() {
        let bare = HostRule(names: [])
        #expect(bare.accepts("localhost"))
        #expect(bare.accepts("[::1]"))
        #expect(!bare.accepts("connectd.internal"))
        #expect(!bare.accepts(""))
    }
}
