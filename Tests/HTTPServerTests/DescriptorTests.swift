import CLinux
import Foundation
import HTTPServer
import SocketIO
import Synchronization
import NetworkTypes
import Testing

/// Descriptor limits apply to the whole process, so these tests run in processes of their own.
@Suite struct DescriptorTests {
    static func openDescriptors() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
    }

    /// Exits with the failed condition on standard error.
    static func demand(_ condition: Bool, _ text: String) {
        if condition { return }
        FileHandle.standardError.write(Data(text.utf8))
        exit(1)
    }

    @Test func connectionsLeakNoDescriptor() async throws {
        await #expect(processExitsWith: .success) {
            try await withService(workers: 2) { service in
                let before = Self.openDescriptors()
                for round in 0..<20 {
                    let clients = try (0..<100).map { _ in try service.client() }
                    for (index, client) in clients.enumerated() {
                        client.send(index % 3 == 0 ? "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n" : "")
                        client.send(index % 3 == 1 ? "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n" : "GET /a")
                        if round % 2 == 0 { client.reset() } else { client.close() }
                    }
                }
                // Foundation may open one or two in the meantime; a leak would be hundreds.
                let isEmpty = await eventually {
                    service.service.connectionCounts == [0, 0] && Self.openDescriptors() < before + 10
                }
                Self.demand(isEmpty, "\(service.service.connectionCounts) \(before) \(Self.openDescriptors())")
            }
        }
    }

    @Test func withoutDescriptorsClientsGet503AndTheLoopDoesNotSpin() async throws {
        await #expect(processExitsWith: .success) {
            let complaints = LogMessages()
            try await withService(log: { _ in complaints.count.add(1, ordering: .relaxed) }) { service in
                guard case .ip(let endpoint) = service.address else { return }
                let patient = try service.client()
                patient.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                Self.demand(patient.receiveResponse()?.status == 200, "before")
                // The clients' descriptors count too: they are created before the limit is reached.
                let clients = try (0..<8).map { _ in try RawClient(toBeConnected: AF_INET) }
                var fillers: [Int32] = []
                var limit = rlimit()
                getrlimit(__rlimit_resource_t(7), &limit)
                let full = limit
                limit.rlim_cur = 100
                setrlimit(__rlimit_resource_t(7), &limit)
                while true {
                    let number = dup(0)
                    if number < 0 { break }
                    fillers.append(number)
                }
                for client in clients { try client.connect(to: endpoint) }
                // Each client is refused within one or two pauses, although no descriptor is left for it.
                for client in clients {
                    Self.demand(client.receiveAll()?.hasPrefix("HTTP/1.1 503 ") == true, "not told")
                }
                // One log message for each pause.
                Self.demand((8...16).contains(complaints.count.load(ordering: .relaxed)), "spins")
                patient.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                Self.demand(patient.receiveResponse()?.status == 200, "meanwhile")
                for number in fillers { close(number) }
                limit = full
                setrlimit(__rlimit_resource_t(7), &limit)
                let next = try service.client()
                next.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                Self.demand(next.receiveResponse()?.status == 200, "after")
            }
        }
    }

    /// Connections that have been idle for a second give way to new clients.
    @Test(.timeLimit(.minutes(1))) func withoutDescriptorsIdleConnectionsGiveWay() async throws {
        await #expect(processExitsWith: .success) {
            try await withService { service in
                guard case .ip(let endpoint) = service.address else { return }
                let idle = try (0..<4).map { _ in try service.client() }
                for client in idle {
                    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                    Self.demand(client.receiveResponse()?.status == 200, "before")
                }
                let clients = try (0..<4).map { _ in try RawClient(toBeConnected: AF_INET) }
                // Before the limit: libdispatch aborts the process if it cannot open a file.
                try await Task.sleep(for: .milliseconds(1100))
                var limit = rlimit()
                getrlimit(__rlimit_resource_t(7), &limit)
                limit.rlim_cur = 100
                setrlimit(__rlimit_resource_t(7), &limit)
                while dup(0) >= 0 {}
                for client in clients {
                    try client.connect(to: endpoint)
                    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                }
                for client in clients { Self.demand(client.receiveResponse()?.status == 200, "no room") }
                for client in idle { Self.demand(client.receiveAll() == "", "not ended") }
            }
        }
    }
}

final class LogMessages: Sendable {
    let count = Atomic<Int>(0)
}
