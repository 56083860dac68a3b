import CheckModel
import DNS
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Testing

/// Both address families, CNAMEs and search domains.
@Suite struct FamilyAndNameTests {
    @Test func addressesOfOneFamilyDoNotWaitLongForTheOther() async throws {
        try await withServers([{ $0.isA ? .reply($0.reply([.a("a.test", "192.0.2.1")])) : .silence }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let start = Clock.now()
                #expect(await running.resolve("a.test", milliseconds: 3_600_000).addresses == ["192.0.2.1"])
                // All tries of the other family together take longer than 5 s.
                #expect(Clock.now().since(start) < 4_000_000_000)
            }
        }
    }

    @Test func theSecondFamilyGetsAGracePeriod() async throws {
        try await withServers([
            { query in
                query.isA
                    ? .reply(query.reply([.a("a.test", "192.0.2.1")]))
                    : .delayed(milliseconds: 30, query.reply([.aaaa("a.test", "2001:db8::1")]))
            }
        ]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("a.test").addresses == ["192.0.2.1", "2001:db8::1"])
            }
        }
    }

    @Test(arguments: [2, 3, 5] as [UInt8])
    func addressesOfOneFamilyTakePrecedenceOverAFailureOfTheOther(code: UInt8) async throws {
        try await withServers([
            { query in
                .reply(query.isA ? query.reply(code: code) : query.reply([.aaaa("a.test", "2001:db8::1")]))
            }
        ]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("a.test").addresses == ["2001:db8::1"])
            }
        }
    }

    @Test func aFailureOfOneFamilyTakesPrecedenceOverNODATAOfTheOther() async throws {
        try await withServers([{ .reply($0.reply(code: $0.isA ? 2 : 0)) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("a.test").failure == .serverFailure)
            }
        }
    }

    @Test func everyNameOfACNAMEChainIsReported() async throws {
        try await withServers([
            { query in
                let chain: [DNSRecord] = [.cname("www.test", "Edge.example"), .cname("edge.example", "node.example")]
                return .reply(query.reply(chain + (query.isA ? [.a("node.example", "192.0.2.1")] : [])))
            }
        ]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let resolution = try await running.resolve("www.test").get()
                #expect(resolution.addresses == [.v4(IPv4Address(bits: 0xC000_0201))])
                #expect(resolution.aliases == ["edge.example", "node.example"])
                #expect(resolution.canonicalName == "node.example")
            }
        }
    }

    @Test func aCNAMEWithoutAnAddressIsNODATA() async throws {
        try await withServers([{ .reply($0.reply([.cname("www.test", "edge.example")])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("www.test").failure == .noData)
            }
        }
    }

    @Test func anAddressOfAnotherNameIsIgnored() async throws {
        try await withServers([{ .reply($0.reply([.a("other.example", "192.0.2.66")])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("www.test", family: .ipv4).addresses == [])
            }
        }
    }

    @Test func theSearchDomainThatMatchedIsAnAlias() async throws {
        let records: ScriptedServer.Script = { query in
            query.name == "db.two.example" && query.isA
                ? .reply(query.reply([.a(query.name, "192.0.2.1")]))
                : .reply(query.reply(code: query.name == "db.two.example" ? 0 : 3))
        }
        try await withServers([records]) { servers, port in
            let conf = nameServerLines(1) + "search one.example two.example\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                let resolution = try await running.resolve("db").get()
                #expect(resolution.aliases == ["db.two.example"])
                #expect(resolution.canonicalName == "db.two.example")
                #expect(servers[0].queries.filter(\.isA).map(\.name) == ["db.one.example", "db.two.example"])
                #expect(await running.resolve("db.").failure == .nxdomain)
                #expect(servers[0].queries.last?.name == "db")
            }
        }
    }
}
