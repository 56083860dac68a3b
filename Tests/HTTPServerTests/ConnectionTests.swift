import CLinux
import Foundation
import HTTPServer
import SocketIO
import Synchronization
import Testing

/// Connections with one request, many, or none.
@Suite struct ConnectionTests {
    @Test func aConnectionCarriesManyRequests() async throws {
        try await withService { service in
            let client = try service.client()
            for number in 0..<20 {
                client.send("POST /\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                let response = client.receiveResponse()
                #expect(response?.body == "POST \(number)  - abc")
                #expect(response?.header("date") != nil)
                #expect(response?.header("connection") != "close")
            }
            #expect(service.service.connectionCounts == [1])
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withService { service in
            let client = try service.client()
            let requests = (0..<50).map { number in
                number % 2 == 0
                    ? "GET /\(number) HTTP/1.1\r\nHost: a\r\n\r\n"
                    : "POST /\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"
            }
            client.send(requests.joined())
            for number in 0..<50 {
                #expect(client.receiveResponse()?.body.contains(" \(number) ") == true)
            }
        }
    }

    @Test func aRequestMayArriveByteByByte() async throws {
        try await withService { service in
            let client = try service.client()
            for byte in "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".utf8 {
                client.send([byte])
            }
            #expect(client.receiveResponse()?.body == "POST slow  - abc")
        }
    }

    @Test func aChunkedBodyIsJoinedAndClosesTheConnection() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send("3\r\nabc\r\n")
            client.send("4\r\ndefg\r\n0\r\nTrailer: t\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
            let all = client.receiveAll() ?? ""
            #expect(all.hasSuffix("POST c  - abcdefg"))
            #expect(all.contains("Connection: close"))
        }
    }

    /// libmicrohttpd 1.0.1 takes the LF after a chunk extension for the chunk's first byte, and then refuses the
    /// following bytes.
    @Test func aChunkExtensionIsIgnoredOrRefused() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send("4;x=y\r\ndefg\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
            let all = client.receiveAll() ?? "a reset, or no end"
            #expect(all.hasSuffix("POST c  - defg") || all.hasPrefix("HTTP/1.1 400 "), "\(all)")
            #expect(!all.contains("next"))
        }
    }

    @Test func headReturnsTheHeadersOfGetWithoutABody() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            let response = client.receiveResponse(withoutBody: true)
            #expect(response?.status == 200)
            #expect(response?.header("content-length") == "300000")
            #expect(client.receiveResponse()?.body == "GET a  - ")
        }
    }

    @Test func aLargeSharedBodyArrivesInFull() async throws {
        try await withService { service in
            let client = try service.client()
            for _ in 0..<3 {
                client.send("GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                let all = client.receiveAll() ?? ""
                #expect(all.utf8.count > 300_000 && all.hasSuffix(String(repeating: "x", count: 1000)))
                break
            }
        }
    }

    @Test func http10ClientsGetAResponseAndAreClosed() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("GET /old HTTP/1.0\r\n\r\n")
            #expect(client.receiveAll()?.hasSuffix("GET old  - ") == true)
        }
    }

    @Test func connectionsAreDistributedEvenlyOverTheWorkers() async throws {
        try await withService(workers: 2) { service in
            let clients = try (0..<65).map { _ in try service.client() }
            for client in clients { client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n") }
            for client in clients { #expect(client.receiveResponse()?.status == 200) }
            #expect(service.service.connectionCounts.sorted() == [32, 33])
            #expect(Set(service.handler.ranOn.withLock { $0 }) == [0, 1])
            for client in clients { client.close() }
            #expect(await eventually { service.service.connectionCounts == [0, 0] })
        }
    }

    @Test func aConnectionOverTheLimitGets503() async throws {
        var limits = HTTPLimits()
        limits.connections = 3
        try await withService(limits: limits) { service in
            let clients = try (0..<3).map { _ in try service.client() }
            for client in clients { client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(await eventually { service.handler.started.load(ordering: .relaxed) == 3 })
            let extra = try service.client()
            extra.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(extra.receiveAll()?.hasPrefix("HTTP/1.1 503 ") == true)
            clients[0].close()
            #expect(await eventually { service.service.connectionCounts == [2] })
            let next = try service.client()
            next.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(next.receiveResponse()?.status == 200)
        }
    }
}
