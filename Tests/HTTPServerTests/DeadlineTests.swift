import Foundation
import HTTPServer
import Synchronization
import Testing

/// Clients that are slow or stop sending.
@Suite struct DeadlineTests {
    private static var short: HTTPLimits {
        var limits = HTTPLimits()
        limits.headTimeoutMilliseconds = 200
        limits.bodyTimeoutMilliseconds = 200
        limits.idleTimeoutMilliseconds = 200
        return limits
    }

    /// Sends a byte every 10 ms until the service closes the connection.
    private func drip(_ text: String, to client: RawClient) async -> Bool {
        for _ in 0..<500 {
            guard client.send(text) else { return true }
            try? await Task.sleep(nanoseconds: 10_000_000)
        }
        return false
    }

    @Test func aHeadSentByteByByteIsCutOffAtTheDeadline() async throws {
        try await withService(limits: Self.short) { service in
            let client = try service.client()
            client.send("GET /a HTTP/1.1\r\nHost: a\r\nX: ")
            #expect(await drip("y", to: client))
        }
    }

    @Test func aRequestLineSentByteByByteIsCutOffAtTheDeadline() async throws {
        try await withService(limits: Self.short) { service in
            let client = try service.client()
            client.send("GET /")
            #expect(await drip("y", to: client))
        }
    }

    @Test func anIncompleteHeadGets408() async throws {
        try await withService(limits: Self.short) { service in
            let client = try service.client()
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n")
            #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 408 ") == true)
        }
    }

    @Test func aResponseWhoseSharedBodyIsReleasedIsAborted() async throws {
        try await withService(limits: HTTPLimits()) { service in
            let slow = try service.client()
            slow.send("GET /volume HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(slow.receive()?.isEmpty == false)
            service.handler.volume.revoke()
            #expect(await eventually { service.service.connectionCounts == [0] })
            let other = try service.client()
            other.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(other.receiveResponse()?.status == 200)
        }
    }

    @Test func aBodySentByteByByteIsCutOffAtTheDeadline() async throws {
        try await withService(limits: Self.short) { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")
            #expect(await drip("y", to: client))
            #expect(service.handler.started.load(ordering: .relaxed) == 0)
        }
    }

    @Test func anIncompleteBodyGets408() async throws {
        try await withService(limits: Self.short) { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc")
            #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 408 ") == true)
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        try await withService(limits: Self.short) { service in
            let silent = try service.client()
            let idle = try service.client()
            idle.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(idle.receiveResponse()?.status == 200)
            #expect(silent.receiveAll() == "")
            #expect(idle.receiveAll() == "")
            #expect(await eventually { service.service.connectionCounts == [0] })
        }
    }

    @Test func aSlowHandlerIsNotInterrupted() async throws {
        try await withService(limits: Self.short) { service in
            let client = try service.client()
            client.send("GET /deaf?1000 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse()?.body == "too late")
        }
    }

    @Test func aClientThatNeverReadsIsDisconnected() async throws {
        var limits = HTTPLimits()
        limits.sendTimeoutMilliseconds = 100
        try await withService(limits: limits) { service in
            let client = try service.client()
            for _ in 0..<60 { client.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n") }
            // 300,000 bytes may take 4 seconds longer; 18 MB do not fit into the sockets.
            #expect(await eventually { service.service.connectionCounts == [0] })
        }
    }
}
