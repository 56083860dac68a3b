import Foundation
import HTTPServer
import Synchronization
import Testing

/// Clients that leave before the response is complete.
@Suite struct DepartureTests {
    enum Departure: CaseIterable {
        case close, reset, writingHalf
    }

    @Test(arguments: [Departure.close, .reset])
    func aClientThatDisconnectsCancelsItsRequest(by departure: Departure) async throws {
        try await withService(workers: 2) { service in
            let clients = try (0..<50).map { _ in try service.client() }
            for client in clients { client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 50 })
            for client in clients {
                switch departure {
                case .close: client.close()
                case .reset: client.reset()
                case .writingHalf: client.closeWritingHalf()
                }
            }
            #expect(await eventually { service.handler.cancelled.load(ordering: .relaxed) == 50 })
            #expect(await eventually { service.service.connectionCounts == [0, 0] })
            #expect(service.service.inFlightCount == 0)
        }
    }

    @Test func aHalfClosedClientGetsItsResponse() async throws {
        try await withService { service in
            for request in [
                "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /deaf?100 HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /deaf?100 HTTP/1.0\r\n\r\n",
                "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n\(String(repeating: "b", count: 900))",
                "GET /a HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "b", count: 9000))\r\n\r\n",
            ] {
                for pause in [0, 30_000_000] as [UInt64] {
                    let client = try service.client()
                    client.send(request)
                    try await Task.sleep(nanoseconds: pause)
                    client.closeWritingHalf()
                    #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 200 ") == true, "\(request.prefix(40)) \(pause)")
                }
            }
            #expect(await eventually { service.service.connectionCounts == [0] })
            #expect(service.service.inFlightCount == 0)
        }
    }

    @Test func pipelinedRequestsOfAHalfClosedClientAreAnswered() async throws {
        try await withService { service in
            let client = try service.client()
            client.send(String(repeating: "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", count: 3))
            client.closeWritingHalf()
            let answer = client.receiveAll() ?? ""
            #expect(answer.components(separatedBy: "HTTP/1.1 200 ").count == 4)
        }
    }

    @Test func aClientThatDisconnectsBeforeItsRequestIsReadCancelsIt() async throws {
        try await withService { service in
            for _ in 0..<50 {
                let client = try service.client()
                client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
                client.close()
            }
            #expect(await eventually { service.service.connectionCounts == [0] })
            let cancelled = service.handler.cancelled.load(ordering: .relaxed)
            #expect(cancelled == service.handler.started.load(ordering: .relaxed), "or it never began")
        }
    }

    @Test func aPipelinedRequestDoesNotDisturbTheFirst() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 1 })
            client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\nGET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            client.close()
            #expect(await eventually { service.service.connectionCounts == [0] })
            let cancelled = service.handler.cancelled.load(ordering: .relaxed)
            #expect(cancelled == service.handler.started.load(ordering: .relaxed))
        }
    }

    @Test func clientsMayDisconnectAtAnyTime() async throws {
        try await withService(workers: 2) { service in
            let whole = Array("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8)
            for length in 0...whole.count {
                for departure in Departure.allCases {
                    let client = try service.client()
                    client.send(Array(whole.prefix(length)))
                    switch departure {
                    case .close: client.close()
                    case .reset: client.reset()
                    case .writingHalf: client.closeWritingHalf()
                    }
                }
            }
            #expect(await eventually { service.service.connectionCounts == [0, 0] })
            #expect(service.service.inFlightCount == 0)
        }
    }
}
