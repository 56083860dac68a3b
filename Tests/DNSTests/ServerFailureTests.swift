import CheckModel
import DNS
import ErrorCatalogue
import Testing

/// Faults of name servers, and the error name of each.
@Suite struct ServerFailureTests {
    @Test(
        arguments: [
            (2, ResolveFailure.serverFailure), (3, .nxdomain), (5, .refused), (1, .formatError), (4, .notImplemented),
            (6, .responseCode(6)), (9, .responseCode(9)), (11, .responseCode(11)), (15, .responseCode(15)),
            (0, .noData),
        ] as [(UInt8, ResolveFailure)])
    func aResponseCodeHasItsErrorName(code: UInt8, failure: ResolveFailure) async throws {
        try await withServers([{ .reply($0.reply(code: code)) }]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("a.test").failure == failure)
                #expect(servers[0].queries.count == 2, "an answer is not asked for again")
            }
        }
    }

    @Test func aMalformedAnswerIsABadAnswer() async throws {
        try await withServers([{ .reply($0.reply([.broken("a.test")])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("a.test", family: .ipv4).failure == .badAnswer)
            }
        }
    }

    @Test func aSilentServerIsATimeout() async throws {
        try await withServers([{ _ in .silence }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("a.test", milliseconds: 100).failure == .timeout)
            }
        }
    }

    @Test func aSilentServerTimesOutBeforeADistantDeadline() async throws {
        try await withServers([{ _ in .silence }]) { servers, port in
            let conf = nameServerLines(1) + "options timeout:1 attempts:1\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                #expect(await running.resolve("a.test", family: .ipv4, milliseconds: 3_600_000).failure == .timeout)
                #expect(servers[0].queries.count == 1)
            }
        }
    }

    @Test func anAnswerWithAnotherIdentifierIsIgnored() async throws {
        try await withServers([{ .reply($0.reply(flipsIdentifier: true, [.a("a.test", "192.0.2.1")])) }]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                #expect(await running.resolve("a.test", milliseconds: 100).failure == .timeout)
            }
        }
    }

    @Test func aPortWithoutAListenerIsUnreachable() async throws {
        let port = try TestSocket.freePort()
        try await withResolver(resolvConf: "nameserver 127.0.0.1\n", nameServerPort: port) { running in
            #expect(await running.resolve("a.test", milliseconds: 3_600_000).failure == .unreachable)
        }
    }

    @Test func aTruncatedAnswerIsRetriedOverTCP() async throws {
        let all = (1...200).map { "192.0.2.\($0)" }
        try await withServers([
            { query in
                query.isTCP
                    ? .reply(query.reply(all.map { .a(query.name, $0) })) : .reply(query.reply(isTruncated: true))
            }
        ]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let result = await running.resolve("many.test", family: .ipv4)
                #expect(result.addresses == Set(all))
                #expect(servers[0].queries.map(\.isTCP) == [false, true])
            }
        }
    }

    @Test func useVCQueriesOverTCPOnly() async throws {
        try await withServers([{ .reply($0.reply([.a("a.test", "192.0.2.1")])) }]) { servers, port in
            let conf = nameServerLines(1) + "options use-vc\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                #expect(await running.resolve("a.test", family: .ipv4).addresses == ["192.0.2.1"])
                #expect(servers[0].queries.map(\.isTCP) == [true])
            }
        }
    }
}
