import CheckModel
import DNS
import ErrorCatalogue
import Foundation
import Glibc
import NetworkTypes
import SocketIO
import TestSupport
import Testing

/// hosts(5) and resolv.conf(5), and changes of both files.
@Suite struct SystemFileTests {
    private let hosts = """
        # comment
        192.0.2.7   db.internal DB db7  # the database
        2001:db8::7 db.internal
        192.0.2.8   db.internal
        192.0.2.9   v4only
        bad-line    other
        """

    @Test func theHostsFileTakesPrecedence() async throws {
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

    @Test func aFamilyThatTheHostsFileLacksIsResolvedByDNS() async throws {
        try await withServers([{ .reply($0.reply([.aaaa($0.name, "2001:db8::9")])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), hosts: hosts, nameServerPort: port) { running in
                #expect(await running.resolve("v4only", family: .ipv6).addresses == ["2001:db8::9"])
                #expect(await running.resolve("v4only").addresses == ["192.0.2.9"])
            }
        }
    }

    @Test(arguments: ["localhost", "LocalHost.", "a.b.localhost"])
    func localhostIsAlwaysLoopback(name: String) async throws {
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
    func localhostHasTheLoopbackAddressesOfTheHostsFile(hosts: String, addresses: Set<String>) async throws {
        try await withResolver(hosts: hosts) { running in
            #expect(await running.resolve("localhost", asHostsHave: true).addresses == addresses)
        }
    }

    @Test func aChangedHostsFileIsReloaded() async throws {
        try await withResolver(hosts: "192.0.2.1 a.test\n") { running in
            #expect(await running.resolve("a.test").addresses == ["192.0.2.1"])
            try Data("192.0.2.2 a.test\n".utf8).write(to: running.files.hosts, options: .atomic)
            try await Task.sleep(for: .milliseconds(1100))
            #expect(await running.resolve("a.test").addresses == ["192.0.2.2"])
        }
    }

    @Test func aChangedResolvConfIsReloadedAndQueriesInFlightFinish() async throws {
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

    @Test func aLargeHostsFileIsReadOnAnotherThread() async throws {
        let lines = (0..<200_000).map { "10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255) host\($0).test" }
        let hosts = lines.joined(separator: "\n") + "\n"
        try await withResolver(hosts: hosts) { running in
            let longest = Task(executorPreference: running.reactor.thread) {
                var longest: Int64 = 0
                while !Task.isCancelled {
                    let begin = Clock.now()
                    _ = await running.reactor.sleep(until: begin.advanced(byMilliseconds: 1))
                    longest = max(longest, Clock.now().since(begin))
                }
                return longest
            }
            let first = await running.resolve("host199999.test", milliseconds: 60_000)
            #expect(first.addresses == ["10.3.13.63"])
            let changed = "10.9.9.9 host7.test\n" + hosts
            try Data(changed.utf8).write(to: running.files.hosts, options: .atomic)
            var addresses: Set<String> = []
            for _ in 0..<600 where !addresses.contains("10.9.9.9") {
                try await Task.sleep(for: .milliseconds(100))
                let begin = Clock.now()
                addresses = await running.resolve("host7.test").addresses
                #expect(addresses.contains("10.0.0.7"), "the earlier content counts until the new one is there")
                #expect(Clock.now().since(begin) < 1_000_000_000)
            }
            #expect(addresses == ["10.9.9.9", "10.0.0.7"])
            longest.cancel()
            #expect(await longest.value < 400_000_000 * Slowness.factor, "the reactor's thread was held up")
        }
    }

    @Test func aFileThatCannotBeReadInTimeIsATimeout() async throws {
        try await withResolver { running in
            // Opening a FIFO for reading waits for a writer. It simulates a hanging file system for as long as the test
            // needs.
            let pipe = running.files.hosts.path
            try FileManager.default.removeItem(atPath: pipe)
            #expect(mkfifo(pipe, 0o600) == 0)
            let begin = Clock.now()
            #expect(await running.resolve("a.test", milliseconds: 200).failure == .timeout)
            #expect(Clock.now().since(begin) < 2_000_000_000)
            #expect(await running.resolve("localhost").addresses == ["127.0.0.1", "::1"])
            let writer = open(pipe, O_WRONLY | O_NONBLOCK)
            #expect(writer >= 0)
            let line = Array("192.0.2.5 a.test\n".utf8)
            #expect(write(writer, line, line.count) == line.count)
            close(writer)
            #expect(await running.resolve("a.test").addresses == ["192.0.2.5"])
        }
    }
}
