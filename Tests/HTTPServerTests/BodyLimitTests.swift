import Foundation
import HTTPServer
import Synchronization
import Testing

/// Bodies that are too long or not accepted.
@Suite struct BodyLimitTests {
    @Test func aContentLengthOverTheLimitGets413BeforeTheBody() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
            #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 413 ") == true)
            let exact = try service.client()
            exact.send(
                "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1000))
            #expect(exact.receiveResponse()?.status == 200)
        }
    }

    @Test func aChunkedBodyOverTheLimitGets413() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "1f4\r\n" + String(repeating: "x", count: 500) + "\r\n"
            client.send(chunk + chunk + "1\r\nx\r\n")
            #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 413 ") == true)
        }
    }

    @Test func expect100ContinueWithALongBodyGets413AtOnce() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
            let answer = client.receiveAll() ?? ""
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(!answer.contains("100 Continue"))
        }
    }

    @Test func expect100ContinueGets100() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            #expect(client.receiveResponse()?.status == 100)
            client.send("hello")
            #expect(client.receiveResponse()?.body == "POST a  - hello")
        }
    }

    /// If the connection were closed at once, the kernel would answer the rest of the body with a reset, which can
    /// destroy the response.
    @Test(arguments: [
        "Content-Length: 3000000", "Transfer-Encoding: chunked",
    ])
    func anEarlyResponseIsReadableAfterTheWholeBodyIsSent(framing: String) async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
            if framing.contains("chunked") { client.send("2dc6c0\r\n") }
            #expect(client.send([UInt8](repeating: 120, count: 3_000_000)))
            #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 413 ") == true)
        }
    }

    @Test func anEndlessBodyIsCutOff() async throws {
        var limits = HTTPLimits()
        limits.discardMilliseconds = 60_000
        try await withService(limits: limits) { service in
            let client = try service.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n")
            var sent = 0
            while sent < 200 << 20, client.send([UInt8](repeating: 120, count: 1 << 20)) { sent += 1 << 20 }
            #expect(sent < 200 << 20)
        }
    }

    @Test func aRefusedRequestWithAShortBodyKeepsItsConnection() async throws {
        try await withService { service in
            let client = try service.client()
            client.send(
                "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n"
                    + String(repeating: "x", count: 2000))
            #expect(client.receiveResponse()?.status == 403)
            client.send("GET /refused HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse()?.status == 403)
            #expect(client.receiveResponse()?.body == "GET a  - ")
        }
    }

    @Test func aRefusedRequestWithALongBodyGetsItsResponseAtOnce() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
            #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 403 ") == true)
        }
    }
}
