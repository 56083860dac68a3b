import HTTPServer
import NetworkTypes
import SocketIO
import Synchronization
import TLS
import Testing

/// Idle connections give way to new clients, so that a liveness check gets its response.
@Suite struct IdleConnectionTests {
    private let request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    private func limits(_ connections: Int) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.connections = connections
        return limits
    }

    /// All but one are idle: silent from the start, or between requests.
    @Test(arguments: [1, 2]) func idleConnectionsGiveWay(workers: Int) async throws {
        try await withService(workers: workers, limits: limits(20)) { service in
            let busy = try service.client()
            busy.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 1 })
            let idle = try (0..<19).map { _ in try service.client() }
            for client in idle.prefix(9) {
                client.send(request)
                #expect(client.receiveResponse()?.status == 200)
            }
            #expect(await eventually { service.service.connectionCounts.reduce(0, +) == 20 })
            for _ in 0..<30 {
                let next = try service.client()
                next.send(request)
                #expect(next.receiveResponse()?.status == 200)
            }
            #expect(await eventually { service.service.connectionCounts.reduce(0, +) <= 20 })
            #expect(service.handler.cancelled.load(ordering: .relaxed) == 0)
        }
    }

    /// At the limit, an incomplete head has one second, and not the usual ten.
    @Test func incompleteHeadsGiveWay() async throws {
        try await withService(limits: limits(4)) { service in
            let began = Clock.now()
            let slow = try (0..<4).map { _ in try service.client() }
            for client in slow {
                client.send("GET /a HTTP/1.1\r\nHo")
                #expect(await eventually { service.service.connectionCounts.reduce(0, +) > 0 })
            }
            #expect(await eventually { service.service.connectionCounts.reduce(0, +) == 4 })
            var statuses: [Int] = []
            let isServed = await eventually {
                guard let next = try? service.client() else { return false }
                next.send(request)
                statuses.append(next.receiveResponse()?.status ?? 0)
                return statuses.last == 200
            }
            #expect(isServed)
            #expect(Clock.now().since(began) >= 1_000_000_000)
            #expect(statuses.dropLast().allSatisfy { $0 == 503 })
            #expect(slow[0].receiveAll()?.hasPrefix("HTTP/1.1 408 ") == true)
            slow[3].send("st: a\r\n\r\n")
            #expect(slow[3].receiveResponse()?.status == 200)
        }
    }

    @Test func theLongestIdleOneGivesWayFirst() async throws {
        try await withService(limits: limits(3)) { service in
            let clients = try (0..<3).map { _ in try service.client() }
            for client in clients {
                client.send(request)
                #expect(client.receiveResponse()?.status == 200)
            }
            clients[0].send(request)
            #expect(clients[0].receiveResponse()?.status == 200)
            let next = try service.client()
            next.send(request)
            #expect(next.receiveResponse()?.status == 200)
            #expect(clients[1].receiveAll() == "")
            for client in [clients[0], clients[2]] {
                client.send(request)
                #expect(client.receiveResponse()?.status == 200)
            }
        }
    }

    /// More clients than connections, all at once: each gets a response or an end, and the service stays within its limit.
    @Test(arguments: [1, 2]) func aBurstOverTheLimitIsServed(workers: Int) async throws {
        try await withService(workers: workers, limits: limits(50)) { service in
            let idle = try (0..<50).map { _ in try service.client() }
            #expect(await eventually { service.service.connectionCounts.reduce(0, +) == 50 })
            let burst = try (0..<50).map { _ in try service.client() }
            for client in burst { client.send(request) }
            let answered = burst.count { $0.receiveResponse()?.status == 200 }
            #expect(await eventually { service.service.connectionCounts.reduce(0, +) <= 50 })
            // With several workers, each chooses among its own connections. One that has no older connection ends a new
            // client that has not sent anything yet.
            guard workers == 1 else { return #expect(answered >= 25) }
            #expect(answered == 50)
            // Their first request could have been on its way, so they get an answer.
            for client in idle { #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 503 ") == true) }
        }
    }

    @Test func idleConnectionsWithTLSGiveWay() async throws {
        let context = try TestCertificate.makeServerContext()
        try await withService(limits: limits(8), https: context) { service in
            // Each counts twice, as a relay and as a connection of the library.
            let idle = try (0..<4).map { _ in try service.client() }
            for client in idle {
                client.send(request)
                #expect(client.receiveResponse()?.status == 200)
            }
            let next = try service.client()
            next.send(request)
            #expect(next.receiveResponse()?.status == 200)
            #expect(idle[0].receiveAll() == "")
        }
    }

    /// There is a descriptor for each of them: nothing has failed.
    @Test func aPauseForRefusedClientsIsNoFailureOfAccept() async throws {
        var limits = limits(1)
        limits.lingering = 1
        let lines = Mutex<[String]>([])
        try await withService(limits: limits, log: { line in lines.withLock { $0.append(line) } }) { service in
            let busy = try service.client()
            busy.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 1 })
            let refused = try (0..<4).map { _ in try service.client() }
            for client in refused {
                client.send(request)
                #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 503 ") == true)
                client.close()
            }
        }
        #expect(lines.withLock { $0.filter { $0.contains("accept4") } } == [])
    }
}
