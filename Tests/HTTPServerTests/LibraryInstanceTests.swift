import HTTPServer
import SocketIO
import Synchronization
import Testing

/// With few connections for each instance of the library, so that one worker has several instances.
@Suite struct LibraryInstanceTests {
    private static var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.libraryConnections = 4
        return limits
    }

    @Test func allInstancesServeTheirConnections() async throws {
        try await withService(limits: Self.limits) { service in
            let clients = try (0..<30).map { _ in try service.client() }
            for round in 0..<3 {
                for (index, client) in clients.enumerated() { client.send("GET /\(index) HTTP/1.1\r\nHost: a\r\n\r\n") }
                for (index, client) in clients.enumerated() {
                    #expect(client.receiveResponse()?.body.hasPrefix("GET \(index)") == true, "round \(round)")
                }
            }
        }
    }

    @Test func placesOfClosedConnectionsAreUsedAgain() async throws {
        try await withService(limits: Self.limits) { service in
            for _ in 0..<5 {
                let clients = try (0..<10).map { _ in try service.client() }
                for client in clients { client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n") }
                for client in clients { #expect(client.receiveResponse()?.status == 200) }
                for client in clients { client.close() }
                #expect(await eventually { service.service.connectionCounts == [0] })
            }
        }
    }

    @Test func theShutdownAnswersRequestsOfAllInstances() async throws {
        var clients: [RawClient] = []
        try await withService(limits: Self.limits) { service in
            clients = try (0..<30).map { _ in try service.client() }
            for client in clients { client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 30 })
        }
        for client in clients { #expect(client.receiveResponse()?.body == "cancelled") }
    }
}
