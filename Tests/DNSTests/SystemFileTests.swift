import CheckModel
import DNS
import Foundation
import SocketIO
import Testing

/// hosts(5) and resolv.conf(5), and what happens when they change.
@Suite struct SystemFileTests {
    private let hosts = """
        # comment
        192.0.2.7   db.internal DB db7  # the database
        2001:db8::7 db.internal
        192.0.2.8   db.internal
        192.0.2.9   v4only
        bad-line    other
        """

    @Test func aHostsFileIsAskedFirst() async throws {
        try await withServers([{ .reply($0.reply(code: 3)) }]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(1), hosts: hosts, nameServerPort: port) { running in
                let result = await running.resolve("DB.internal")
                #expect(result.addresses == ["192.0.2.7", "2001:db8::7", "192.0.2.8"])
                let source = try result.get().source
                #expect(source == .hosts)
                let alias = try await running.resolve("db").get()
                #expect(alias.addresses.map(\.text) == ["192.0.2.7"])
                #expect(alias.canonicalName == "db.internal")
                #expect(alias.aliases == ["db.internal", "db7"])
                #expect(await running.resolve("db.internal", family: .ipv6).addresses == ["2001:db8::7"])
                #expect(servers[0].queries.isEmpty)
                #expect(await running.resolve("other").failure == .nxdomain)
            }
        }
    }

    @Test func aFamilyThatTheHostsFileLacksIsAskedForByDNS() async throws {
        try await withServers([{ .reply($0.reply([.aaaa($0.name, "2001:db8::9")])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), hosts: hosts, nameServerPort: port) { running in
                #expect(await running.resolve("v4only", family: .ipv6).addresses == ["2001:db8::9"])
                #expect(await running.resolve("v4only").addresses == ["192.0.2.9"])
            }
        }
    }

    @Test(arguments: ["localhost", "LocalHost.", "a.b.localhost"])
    func localhostIsLoopbackWhateverTheFilesSay(name: String) async throws {
        try await withResolver(hosts: "192.0.2.1 localhost a.b.localhost\n") { running in
            #expect(await running.resolve(name).addresses == ["127.0.0.1", "::1"])
            #expect(await running.resolve(name, family: .ipv4).addresses == ["127.0.0.1"])
            #expect(await running.resolve(name, family: .ipv6).addresses == ["::1"])
        }
    }

    @Test(
        arguments: [
            ("127.0.0.1 localhost\n", ["127.0.0.1"]), ("::1 localhost\n", ["::1"]), ("", ["127.0.0.1", "::1"]),
            ("127.0.0.1 localhost\n::1 localhost\n", ["127.0.0.1", "::1"]),
            ("192.0.2.1 localhost\n", ["127.0.0.1", "::1"]),
        ] as [(String, Set<String>)])
    func localhostHasThoseLoopbacksThatTheHostsFileHas(hosts: String, addresses: Set<String>) async throws {
        try await withResolver(hosts: hosts) { running in
            #expect(await running.resolve("localhost", asHostsHave: true).addresses == addresses)
        }
    }

    @Test func aChangedHostsFileIsNoticed() async throws {
        try await withResolver(hosts: "192.0.2.1 a.test\n") { running in
            #expect(await running.resolve("a.test").addresses == ["192.0.2.1"])
            try Data("192.0.2.2 a.test\n".utf8).write(to: running.files.hosts, options: .atomic)
            try await Task.sleep(for: .milliseconds(1100))
            #expect(await running.resolve("a.test").addresses == ["192.0.2.2"])
        }
    }

    @Test func aChangedResolvConfIsNoticedAndTheEarlierServerMayFinish() async throws {
        try await withServers([
            { .delayed(milliseconds: 2000, $0.reply([.a($0.name, "192.0.2.1")])) },
            { .reply($0.reply([.a($0.name, "192.0.2.2")])) },
        ]) { servers, port in
            let conf = nameServerLines(1) + "options attempts:1\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                async let early = running.resolve("a.test", family: .ipv4, milliseconds: 60_000)
                while servers[0].queries.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                try Data("nameserver 127.0.0.3\n".utf8).write(to: running.files.resolvConf, options: .atomic)
                try await Task.sleep(for: .milliseconds(1100))
                #expect(await running.resolve("a.test", family: .ipv4).addresses == ["192.0.2.2"])
                #expect(await early.addresses == ["192.0.2.1"])
                #expect(await running.resolve("b.test", family: .ipv4).addresses == ["192.0.2.2"])
            }
        }
    }
}
