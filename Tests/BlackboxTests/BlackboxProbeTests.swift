@testable import Blackbox
import CheckEngine
import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Testing

@Suite struct BlackboxProbeTests {
    private let now: Int64 = 1_767_225_600_000_000_000

    @Test func `a plain module tries one address, and prefers IPv6`() throws {
        let request = try #require(probe("db.example:5432").preparing(now: now).request)
        #expect(request.target.text == "db.example:5432" && request.timeoutMilliseconds == 2000)
        #expect(request.resolve.triesOneAddress && request.resolve.preferredFamily == .ipv6)
        #expect(request.resolve.family == .any && request.resolve.addresses == .first)
        #expect(request.tls == nil && request.dialog.isEmpty && request.bind.address == nil)
    }

    @Test func `without a fallback the family is fixed`() throws {
        let request = try #require(
            probe("db.example:5432") { module, _ in
                module.preferredFamily = .ipv4
                module.mayFallBack = false
            }.preparing(now: now).request)
        #expect(request.resolve.family == .ipv4 && request.resolve.preferredFamily == nil)
    }

    @Test func `an address of the other family fails to resolve`() throws {
        let failure = try probe("127.0.0.1:80") { module, _ in module.mayFallBack = false }.preparing(now: now).failure
        #expect(failure?.name == "NODATA")
        #expect(try probe("[::1]:80") { module, _ in module.mayFallBack = false }.preparing(now: now).request != nil)
    }

    @Test func `query parameters override the module`() throws {
        let request = try #require(
            probe("db.example:5432") { _, query in
                query.family = .ipv4
                query.addresses = .all
            }.preparing(now: now).request)
        #expect(request.resolve.family == .ipv4 && request.resolve.addresses == .all)
        #expect(!request.resolve.triesOneAddress && request.resolve.preferredFamily == nil)
    }

    @Test func `TLS follows the module`() throws {
        let tls = try #require(
            probe("db.example:443") { module, query in
                module.usesTLS = true
                module.tls.skipsVerification = true
                module.tls.minimumVersion = .tls12
                module.tls.maximumVersion = .tls13
                query.hostname = "other.example"
            }.preparing(now: now).request?.tls)
        #expect(!tls.verify && tls.minimumVersion == .tls12 && tls.maximumVersion == .tls13)
        #expect(tls.serverName == "other.example" && tls.authority == nil && tls.clientCertificate == nil)
        let named = try #require(
            probe("db.example:443") { module, query in
                module.usesTLS = true
                module.tls.serverName = "a.example"
                query.hostname = "other.example"
            }.preparing(now: now).request?.tls)
        #expect(named.serverName == "a.example" && named.verify)
    }

    @Test(arguments: ["tls://db.example:443"]) func `a TLS target enables TLS`(target: String) throws {
        #expect(try probe(target).preparing(now: now).request?.tls != nil)
    }

    @Test(arguments: ["/run/x.sock", "unix:/run/x.sock", "@name", "unix+dgram:/run/x.sock"])
    func `the prober unix takes paths`(target: String) throws {
        let request = try #require(probe(target, prober: .unix).preparing(now: now).request)
        guard case .unix = request.target.peer else {
            Issue.record("\(request.target.peer)")
            return
        }
    }

    @Test(arguments: ["noport", "", "http://a.example:80", "a.example:80:90", "unix:/run/x.sock", "/run/x.sock"])
    func `an invalid target of the prober tcp is a failed result`(target: String) throws {
        let failure = try #require(probe(target).preparing(now: now).failure)
        #expect(failure.name == "INVALID" && failure.fault == .request)
    }

    @Test(arguments: ["[db.example]:80", "[127.0.0.1]:80", "[::1]:80"])
    func `any host may be in brackets`(target: String) throws {
        var probe = try probe(target)
        guard case .check(let check) = probe.prepare(now: now), case .tcp(_, port: 80) = check.request.target.peer
        else {
            Issue.record("not prepared: \(probe.flaw ?? "")")
            return
        }
        #expect(check.request.target.text == target && probe.flaw == nil)
    }

    @Test func `the host of an invalid port is only resolved`() throws {
        var probe = try probe("db.example:70000") { module, _ in
            module.usesTLS = true
            module.sourceAddress = "127.0.0.9".address
        }
        guard case .check(let check) = probe.prepare(now: now) else {
            Issue.record("not prepared")
            return
        }
        #expect(check.request.target.peer == .tcp(.name("db.example"), port: 0))
        #expect(check.dialog == nil && check.request.tls == nil && check.request.resolve.triesOneAddress)
        #expect(probe.flaw != nil)
    }

    @Test(arguments: [
        ("127.0.0.1%3A80", "127.0.0.1:80"), ("tls%3A%2F%2Fa.example%3A443", "tls://a.example:443"),
        ("%5B::1%5D:80", "[::1]:80"), ("a.example:80", "a.example:80"), ("[fe80::1%25]:80", "[fe80::1%25]:80"),
        ("[fe80::1%12]:80", "[fe80::1%12]:80"), ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80"), ("a%zz:80", "a%zz:80"),
        ("a%00b:80", "a%00b:80"), ("a%0Ab:80", "a%0Ab:80"), ("a%FFb:80", "a%FFb:80"),
    ])
    func `a target with invalid escapes is decoded again`(target: String, decoded: String) throws {
        #expect(try probe(target).query.target == decoded)
    }

    @Test func `a path with a percent sign is unchanged`() throws {
        #expect(try probe("/run/a%20b.sock", prober: .unix).query.target == "/run/a%20b.sock")
        #expect(try probe("%2Frun%2Fa.sock", prober: .unix).query.target == "/run/a.sock")
    }

    @Test(
        arguments: [
            ("a:1", "a", "1"), ("[::1]:1", "::1", "1"), ("[a]:b", "a", "b"), (":", "", ""), ("http://a", "http", "//a"),
        ])
    func `host and port are split as in Go`(text: String, host: String, port: String) {
        let parts = GoHostPort(text)
        #expect(parts?.host == host && parts?.port == port)
    }

    @Test(arguments: [
        "", "a", "a:b:c", "[::1]", "[::1", "[::1]:1:2", "[::1]x:1", "a]:1", "a:[1", "[[a]]:1", "[]a]:1", "x[a]:1",
    ])
    func `a target that Go cannot split has neither host nor port`(text: String) {
        #expect(GoHostPort(text) == nil)
    }

    @Test(arguments: ["run/x.sock", "a.example:80", "unix:"])
    func `an invalid target of the prober unix is a failed result`(target: String) throws {
        #expect(try probe(target, prober: .unix).preparing(now: now).failure?.name == "INVALID")
    }

    @Test func `TLS over a UNIX socket needs a name to verify`() throws {
        func failure(_ change: (inout ProbeModule) -> Void) throws -> String? {
            try probe("/run/x.sock", prober: .unix) { module, _ in
                module.usesTLS = true
                change(&module)
            }.preparing(now: now).failure?.name
        }
        #expect(try failure { _ in } == "INVALID")
        #expect(try failure { $0.tls.skipsVerification = true } == nil)
        #expect(try failure { $0.tls.serverName = "a.example" } == nil)
    }
}

@Suite struct ScrapeTimeoutTests {
    @Test(
        arguments: [
            // No timeout is given.
            (nil, 0, 60), ("", 0, 60),
            // The lower of the module's timeout and Prometheus' timeout less half a second.
            (nil, 5, 5), ("10", 5, 5), ("3", 5, 2.5), ("1e1", 0, 9.5), ("5.5", 5, 5), ("+3", 0, 2.5),
            // If Prometheus leaves no time, the module's timeout applies.
            ("0.3", 5, 5), ("-1", 5, 5), ("0.3", 0, 0), ("0.5", 5, 0), ("0", 5, 5),
            // Never more than the service's own limit.
            ("inf", 0, 60), ("100", 90, 60), ("1e308", 0, 60), ("-1e308", 5, 5), ("1e-400", 5, 5),
        ] as [(String?, Double, Double)])
    func `the shortest timeout applies`(header: String?, module: Double, seconds: Double) throws {
        let timeout = try ScrapeTimeout(header: header, moduleSeconds: module, limitSeconds: 60)
        #expect(timeout.seconds == seconds)
        #expect(timeout.milliseconds == max(1, Int(seconds * 1000)))
    }

    @Test(arguments: ["abc", "1s", "0x10", "NaN", " 1", "1,5", "--1", "1e400", "-1e400"])
    func `a timeout that is not a number is malformed`(header: String) {
        #expect(throws: ScrapeTimeout.Malformed.self) {
            try ScrapeTimeout(header: header, moduleSeconds: 5, limitSeconds: 60)
        }
    }
}
