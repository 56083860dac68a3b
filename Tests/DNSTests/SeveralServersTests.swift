import CheckModel
import DNS
import ErrorCatalogue
import NetworkTypes
import Testing

/// When each server is queried, and which answer is used.
@Suite struct SeveralServersTests {
    private static let answering: ScriptedServer.Script = { query in
        .reply(query.reply(query.isA ? [.a(query.name, "192.0.2.1")] : []))
    }

    @Test(arguments: [100, 1000, 5000])
    func theSecondServerAnswersWithinTheDeadlineWhenTheFirstIsSilent(milliseconds: Int) async throws {
        try await withServers([{ _ in .silence }, Self.answering]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(2), nameServerPort: port) { running in
                #expect(await running.resolve("a.test", milliseconds: milliseconds).addresses == ["192.0.2.1"])
                #expect(!servers[0].queries.isEmpty)
            }
        }
    }

    @Test func theThirdServerAnswersWithinASecondWhenTwoAreSilent() async throws {
        try await withServers([{ _ in .silence }, { _ in .silence }, Self.answering]) { _, port in
            try await withResolver(resolvConf: nameServerLines(3), nameServerPort: port) { running in
                #expect(await running.resolve("a.test", milliseconds: 1000).addresses == ["192.0.2.1"])
            }
        }
    }

    @Test(arguments: [2, 5] as [UInt8])
    func theSecondServerIsQueriedWhenTheFirstFails(code: UInt8) async throws {
        try await withServers([{ .reply($0.reply(code: code)) }, Self.answering]) { _, port in
            try await withResolver(resolvConf: nameServerLines(2), nameServerPort: port) { running in
                #expect(await running.resolve("a.test").addresses == ["192.0.2.1"])
            }
        }
    }

    @Test func theSecondServerIsQueriedWhenThePortOfTheFirstIsClosed() async throws {
        try await withServers([Self.answering]) { _, port in
            let conf = "nameserver 127.0.0.1\nnameserver 127.0.0.2\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                #expect(await running.resolve("a.test").addresses == ["192.0.2.1"])
            }
        }
    }

    @Test func nxdomainFromTheFirstServerIsFinal() async throws {
        try await withServers([{ .reply($0.reply(code: 3)) }, Self.answering]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(2), nameServerPort: port) { running in
                #expect(await running.resolve("a.test").failure == .nxdomain)
                #expect(servers[1].queries.isEmpty)
            }
        }
    }

    @Test func anErrorAnswerTakesPrecedenceOverAClosedPort() async throws {
        try await withServers([{ .reply($0.reply(code: 2)) }]) { _, port in
            let conf = "nameserver 127.0.0.2\nnameserver 127.0.0.1\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                #expect(await running.resolve("a.test", milliseconds: 3_600_000).failure == .serverFailure)
            }
        }
    }

    @Test func aLateAnswerIsUsed() async throws {
        try await withServers([{ .delayed(milliseconds: 700, $0.reply([.a("a.test", "192.0.2.1")])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let result = await running.resolve("a.test", family: .ipv4, milliseconds: 60_000)
                #expect(result.addresses == ["192.0.2.1"])
            }
        }
    }

    @Test func aLostQueryIsSentAgain() async throws {
        let first = FirstTime()
        try await withServers([
            { query in
                first.isFirst(query.name) ? .silence : .reply(query.reply([.a("a.test", "192.0.2.1")]))
            }
        ]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let result = await running.resolve("a.test", family: .ipv4, milliseconds: 2000)
                #expect(result.addresses == ["192.0.2.1"])
            }
        }
    }

    @Test func theServerOfARequestReplacesTheSystemServers() async throws {
        try await withServers([Self.answering, { .reply($0.reply([.a($0.name, "192.0.2.2")])) }]) { servers, port in
            try await withResolver(
                resolvConf: nameServerLines(1), hosts: "192.0.2.3 a.test\n", nameServerPort: port
            ) { running in
                let result = await running.resolve("a.test", family: .ipv4, server: servers[1].endpoint)
                #expect(result.addresses == ["192.0.2.2"])
                #expect(servers[0].queries.isEmpty)
            }
        }
    }

    @Test func moreServersOfRequestsThanTheCacheHoldsAreAllQueried() async throws {
        try await withServers([{ .reply($0.reply([.a($0.name, "192.0.2.2")])) }]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                for number in 1...400 {
                    let closed = IPEndpoint("127.0.\(1 + number / 200).\(1 + number % 200)", port)
                    #expect(await running.resolve("a.test", server: closed).failure == .unreachable)
                }
                let result = await running.resolve("a.test", family: .ipv4, server: servers[0].endpoint)
                #expect(result.addresses == ["192.0.2.2"])
            }
        }
    }
}
