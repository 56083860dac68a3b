import CheckModel
import DNS
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Testing

/// Answers that do not fit into a datagram, and servers that close connections at any time.
@Suite struct StreamTests {
    /// Returns a truncated answer over UDP for `t….test`, and the given reaction over TCP.
    private static func server(
        delay: Int = 0, overTCP: @escaping @Sendable (DNSQuery) -> ScriptedServer.Reaction
    ) -> ScriptedServer.Script {
        { query in
            if query.isTCP { return overTCP(query) }
            let reply = query.name.hasPrefix("t") ? query.reply(isTruncated: true) : address(query)
            return delay > 0 ? .delayed(milliseconds: delay, reply) : .reply(reply)
        }
    }

    @Sendable private static func address(_ query: DNSQuery) -> [UInt8] {
        query.reply(query.isA ? [.a(query.name, "192.0.2.1")] : [])
    }

    @Test func aServerThatClosesAnIdleConnectionFailsNoQuery() async throws {
        let script: ScriptedServer.Script = { query in
            if query.isTCP { return .close(Self.address(query), milliseconds: 20) }
            if query.name.hasPrefix("t") { return .reply(query.reply(isTruncated: true)) }
            return .delayed(milliseconds: 120, Self.address(query))
        }
        try await withServers([script]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let names = ["t.test"] + (0..<320).map { "n\($0).test" }
                let results = await running.resolveAtOnce(names)
                #expect(results.filter { $0.addresses != ["192.0.2.1"] }.count == 0)
            }
        }
    }

    @Test(arguments: [ScriptedServer.Reaction.close(nil), .silence])
    func aConnectionClosedWithoutAnAnswerFailsNoOtherQuery(reaction: ScriptedServer.Reaction) async throws {
        try await withServers([Self.server(delay: 100) { _ in reaction }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let names = ["t1.test", "t2.test"] + (0..<100).map { "n\($0).test" }
                let results = await running.resolveAtOnce(names, milliseconds: 1500)
                #expect(results.dropFirst(2).filter { $0.addresses != ["192.0.2.1"] }.count == 0)
                let isSilent = if case .silence = reaction { true } else { false }
                for result in results.prefix(2) { #expect(result.failure == (isSilent ? .timeout : .unreachable)) }
            }
        }
    }

    @Test func aServerThatClosesAfterEachAnswerGetsAllQueries() async throws {
        try await withServers([Self.server { .close(Self.address($0)) }]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let results = await running.resolveAtOnce((0..<60).map { "t\($0).test" }, family: .ipv4)
                #expect(results.filter { $0.addresses != ["192.0.2.1"] }.count == 0)
                #expect(servers[0].queries.filter(\.isTCP).count == 60, "each question is asked once")
            }
        }
    }

    @Test func aServerThatKeepsConnectionsOpenIsQueriedOverFew() async throws {
        try await withServers([Self.server { .reply(Self.address($0)) }]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let results = await running.resolveAtOnce((0..<200).map { "t\($0).test" }, family: .ipv4)
                #expect(results.filter { $0.addresses != ["192.0.2.1"] }.count == 0)
                #expect(servers[0].connections < 100)
            }
        }
    }

    @Test func abandonedQueriesHoldNoConnection() async throws {
        let script = Self.server { $0.name.hasPrefix("ts") ? .silence : .reply(Self.address($0)) }
        try await withServers([script]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let silent = await running.resolveAtOnce((0..<20).map { "ts\($0).test" }, milliseconds: 200)
                #expect(silent.allSatisfy { $0.failure == .timeout })
                #expect(await running.resolve("t.test", milliseconds: 1000).addresses == ["192.0.2.1"])
            }
        }
    }

    @Test func anAnswerInSmallPiecesIsRead() async throws {
        try await withServers([Self.server { .dripped(Self.address($0)) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("t.test", family: .ipv4).addresses == ["192.0.2.1"])
            }
        }
    }

    @Test(arguments: [500, 4000])
    func aLargeAnswerIsReadInFull(count: Int) async throws {
        let records = (0..<count).map { DNSRecord.compressed(a: 0x0A00_0000 + UInt32($0)) }
        try await withServers([Self.server { .reply($0.reply($0.isA ? records : [])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let resolution = try await running.resolve("t.test").get()
                let expected = (0..<count).map { IPAddress.v4(IPv4Address(bits: 0x0A00_0000 + UInt32($0))) }
                #expect(resolution.addresses == expected)
            }
        }
    }

    @Test func anEchoedQuestionAndATruncatedStreamAreBadAnswers() async throws {
        let echo: ScriptedServer.Script = { .reply($0.bytes) }
        let truncated: ScriptedServer.Script = { .reply($0.reply(isTruncated: true, [.a($0.name, "192.0.2.1")])) }
        let foreign = Self.server { .reply($0.reply(flipsIdentifier: true, [.a($0.name, "192.0.2.1")])) }
        let otherName = Self.server { query in
            var reply = Self.address(query)
            reply[13] ^= 1
            return .reply(reply)
        }
        for script in [echo, truncated, foreign, otherName] {
            try await withServers([script]) { _, port in
                try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                    #expect(await running.resolve("t.test").failure == .badAnswer)
                }
            }
        }
    }

    @Test func theSecondServerIsQueriedWhenTheFirstRefusesTCP() async throws {
        try await withServers([Self.server { _ in .close(nil) }, Self.server { .reply(Self.address($0)) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(2), nameServerPort: port) { running in
                #expect(await running.resolve("t.test").addresses == ["192.0.2.1"])
            }
        }
    }

    @Test func useVCSurvivesACloseAfterEachAnswer() async throws {
        try await withServers([{ .close(Self.address($0)) }]) { servers, port in
            let conf = nameServerLines(1) + "options use-vc\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                let results = await running.resolveAtOnce((0..<50).map { "n\($0).test" })
                #expect(results.filter { $0.addresses != ["192.0.2.1"] }.count == 0)
                #expect(servers[0].queries.count { !$0.isTCP } == 0)
            }
        }
    }
}
