import CheckModel
import DNS
import ErrorCatalogue
import SocketIO
import Testing

/// Concurrent queries for the same name and for different names.
@Suite struct WaitingTests {
    @Test func equalConcurrentQuestionsAreSentOnce() async throws {
        try await withServers([{ .delayed(milliseconds: 100, $0.reply([.a("a.test", "192.0.2.1")])) }]) {
            servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let results = await running.resolveAtOnce(Array(repeating: "a.test", count: 50), family: .ipv4)
                #expect(results.allSatisfy { $0.addresses == ["192.0.2.1"] })
                #expect(servers[0].queries.count == 1)
                _ = await running.resolve("a.test", family: .ipv4)
                #expect(servers[0].queries.count == 2, "an answer is not kept")
            }
        }
    }

    @Test func aCanceledQueryDoesNotAffectOtherWaiters() async throws {
        try await withServers([{ .delayed(milliseconds: 250, $0.reply([.a("a.test", "192.0.2.1")])) }]) {
            servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                async let patient = running.resolve("a.test", family: .ipv4, milliseconds: 60_000)
                async let hurried = running.resolve("a.test", family: .ipv4, milliseconds: 50)
                let cancelled = Task { await running.resolve("a.test", family: .ipv4, milliseconds: 60_000) }
                while servers[0].queries.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                cancelled.cancel()
                #expect(await cancelled.value.failure == .cancelled)
                #expect(await hurried.failure == .timeout)
                #expect(await patient.addresses == ["192.0.2.1"])
            }
        }
    }

    @Test func aCanceledTaskReturnsAtOnce() async throws {
        try await withServers([{ _ in .silence }]) { servers, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let waiting = Task { await running.resolve("a.test", milliseconds: 3_600_000) }
                while servers[0].queries.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                waiting.cancel()
                #expect(await waiting.value.failure == .cancelled)
            }
        }
    }

    @Test(arguments: [500, 2000])
    func manyNamesAreResolvedAtOnce(count: Int) async throws {
        try await withServers([
            { query in
                let number = Int(query.name.prefix { $0 != "." }.dropFirst()) ?? 0
                return .reply(query.reply(query.isA ? [.a(query.name, "10.0.\(number / 250).\(number % 250)")] : []))
            }
        ]) { _, port in
            try await withResolver(resolvConf: nameServerLines(1), nameServerPort: port) { running in
                let results = await running.resolveAtOnce((0..<count).map { "n\($0).test" }, milliseconds: 60_000)
                let wrong = results.enumerated().filter { index, result in
                    result.addresses != ["10.0.\(index / 250).\(index % 250)"]
                }
                #expect(wrong.count == 0)
            }
        }
    }

    @Test func noSocketIsLeaked() async throws {
        try await withServers([
            { query in
                switch query.name.first {
                case "t":
                    .reply(query.reply(isTruncated: !query.isTCP, query.isTCP ? [.a(query.name, "192.0.2.1")] : []))
                case "s": .silence
                default: .reply(query.reply([.a(query.name, "192.0.2.1")]))
                }
            }
        ]) { servers, port in
            let conf = nameServerLines(1) + "options timeout:1\n"
            try await withResolver(resolvConf: conf, nameServerPort: port) { running in
                let names = (0..<60).map { ["t", "s", "n"][$0 % 3] + "\($0).test" }
                _ = await running.resolveAtOnce(names, family: .ipv4, milliseconds: 300)
                // c-ares gives up unanswered queries after a second, and then closes their sockets.
                var left = 1
                for _ in 0..<100 where left > 0 {
                    left = TestSocket.countOpen(to: servers[0].endpoint)
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(left == 0)
            }
        }
    }
}

extension RunningResolver {
    /// Resolves all names concurrently. The results have the order of the names.
    func resolveAtOnce(
        _ names: [String], family: ResolveOptions.Family = .any, milliseconds: Int = 5000
    ) async -> [Result<Resolution, ResolveFailure>] {
        await withTaskGroup { group in
            for (index, name) in names.enumerated() {
                group.addTask { (index, await resolve(name, family: family, milliseconds: milliseconds)) }
            }
            var results = [Result<Resolution, ResolveFailure>](repeating: .failure(.cancelled), count: names.count)
            for await (index, result) in group { results[index] = result }
            return results
        }
    }
}
