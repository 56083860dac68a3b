import CheckModel
import DNS
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Testing

/// Names from a real name server.
@Suite struct DnsmasqTests {
    private func withServer(
        _ records: [String], resolvConf: String = "", hosts: String = "",
        _ body: (RunningResolver, IPEndpoint) async throws -> Void
    ) async throws {
        let port = try TestSocket.freePort()
        let server = try await Dnsmasq(port: port, records)
        try await withResolver(
            resolvConf: resolvConf.isEmpty ? "nameserver 127.0.0.1\n" : resolvConf, hosts: hosts, nameServerPort: port
        ) { try await body($0, server.endpoint) }
    }

    @Test func aNameHasTheAddressesOfBothFamilies() async throws {
        try await withServer(["--host-record=both.test,192.0.2.1,2001:db8::1"]) { running, _ in
            let result = await running.resolve("both.test")
            #expect(result.addresses == ["192.0.2.1", "2001:db8::1"])
            let resolution = try result.get()
            #expect(resolution.source == .dns)
            #expect(resolution.aliases == [])
            #expect(resolution.canonicalName == nil)
            #expect(await running.resolve("Both.Test.", family: .ipv4).addresses == ["192.0.2.1"])
            #expect(await running.resolve("both.test", family: .ipv6).addresses == ["2001:db8::1"])
        }
    }

    @Test func aMissingNameDiffersFromANameWithoutAddresses() async throws {
        try await withServer(["--host-record=v4.test,192.0.2.1", "--txt-record=text.test,hello"]) { running, _ in
            #expect(await running.resolve("none.test").failure == .nxdomain)
            #expect(await running.resolve("text.test").failure == .noData)
            #expect(await running.resolve("v4.test", family: .ipv6).failure == .noData)
            #expect(await running.resolve("v4.test").addresses == ["192.0.2.1"])
        }
    }

    @Test func cnamesAndSearchDomainsAreReported() async throws {
        let records = ["--host-record=node.example,192.0.2.1", "--cname=www.corp.example,node.example"]
        let conf = "nameserver 127.0.0.1\nsearch corp.example\n"
        try await withServer(records, resolvConf: conf) { running, _ in
            let resolution = try await running.resolve("www").get()
            #expect(resolution.aliases == ["www.corp.example", "node.example"])
            #expect(resolution.canonicalName == "node.example")
        }
    }

    @Test func aServerIsQueriedOverIPv6() async throws {
        let server = try await Dnsmasq(
            port: TestSocket.freePort(), address: "::1", ["--host-record=a.test,192.0.2.1"])
        try await withResolver { running in
            let result = await running.resolve("a.test", server: server.endpoint)
            #expect(result.addresses == ["192.0.2.1"])
        }
    }

    @Test func aNameWithMoreAddressesThanADatagramHoldsIsComplete() async throws {
        let all = (1...100).map { "192.0.2.\($0)" }
        try await withServer(all.map { "--host-record=many.test,\($0)" }) { running, _ in
            #expect(await running.resolve("many.test").addresses == Set(all))
        }
    }

    @Test func aThousandNamesAreResolvedAtOnce() async throws {
        try await withServer(["--address=/test/192.0.2.1"]) { running, _ in
            let results = await running.resolveAtOnce((0..<1000).map { "n\($0).test" }, milliseconds: 60_000)
            #expect(results.filter { $0.addresses == ["192.0.2.1"] }.count == 1000)
        }
    }
}
