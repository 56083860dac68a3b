import Foundation
import HTTPServer
import NetworkTypes
import SocketIO
import Synchronization
import Testing

/// The shutdown of a service.
@Suite struct ShutdownTests {
    @Test func shutdownAnswersEveryWaitingRequest() async throws {
        let service = try await TestService(workers: 2, on: [anyLoopbackPort], limits: HTTPLimits(), log: { _ in })
        let clients = try (0..<100).map { _ in try service.client() }
        for client in clients { client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 100 })
        await service.stop()
        let answers = clients.compactMap { $0.receiveAll() }
        #expect(answers.count == 100)
        #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") && $0.hasSuffix("cancelled") })
        #expect(service.service.connectionCounts == [0, 0])
    }

    @Test func aHandlerThatIgnoresCancellationIsReplacedBy503() async throws {
        var limits = HTTPLimits()
        limits.cancellationMilliseconds = 50
        let service = try await TestService(workers: 1, on: [anyLoopbackPort], limits: limits, log: { _ in })
        let client = try service.client()
        client.send("GET /deaf?60000 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 1 })
        await service.stop()
        #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 503 ") == true)
    }

    @Test func drainWaitsForRequestsInFlight() async throws {
        try await withService(workers: 2) { service in
            let hanging = try service.client()
            hanging.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 1 })
            #expect(await service.service.drain(until: Clock.now().advanced(byMilliseconds: 50)) == false)
            hanging.close()
            #expect(await service.service.drain(until: Clock.now().advanced(byMilliseconds: 5000)))
            let client = try service.client()
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveAll()?.contains("Connection: close") == true)
        }
    }

    @Test func shutdownEndsWithOpenConnections() async throws {
        let service = try await TestService(workers: 2, on: [anyLoopbackPort], limits: HTTPLimits(), log: { _ in })
        let clients = try (0..<20).map { _ in try service.client() }
        for (index, client) in clients.enumerated() {
            let request = Array("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8)
            client.send(Array(request.prefix(index * 3)))
        }
        await service.stop()
        #expect(service.service.connectionCounts == [0, 0])
    }
}
