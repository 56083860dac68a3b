import Foundation
import HTTPServer
import SocketIO
import Synchronization
import Testing

/// Request heads of every size and shape. Each one gets a response.
@Suite struct HeadSizeTests {
    private static func head(of count: Int, path: String = "/a") -> String {
        let start = "GET \(path) HTTP/1.1\r\nHost: a\r\nX-Long: "
        return start + String(repeating: "y", count: count - start.utf8.count - 4) + "\r\n\r\n"
    }

    @Test func headsUpTo16KiBAreAccepted() async throws {
        try await withService { service in
            for count in Array(stride(from: 100, to: 6000, by: 37))
                + Array(stride(from: 6000, through: 16_384, by: 461)) + [16_384]
            {
                let client = try service.client()
                client.send(Self.head(of: count))
                #expect(client.receiveResponse()?.status == 200, "a head of \(count) bytes")
            }
        }
    }

    @Test func aLongerHeadGets431AndALongerTargetGets414() async throws {
        try await withService { service in
            for count in [16_385, 16_400, 20_000, 60_000] {
                let client = try service.client()
                client.send(Self.head(of: count))
                #expect(client.receiveResponse()?.status == 431, "a head of \(count) bytes")
                let target = try service.client()
                target.send("GET /\(String(repeating: "a", count: count)) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(target.receiveResponse()?.status == 414, "a target of \(count) bytes")
            }
            #expect(service.handler.started.load(ordering: .relaxed) == 0)
        }
    }

    @Test func headsOfDifferentSizesShareAConnection() async throws {
        try await withService { service in
            let client = try service.client()
            for count in [100, 3000, 100, 16_384, 2600, 2700, 5000, 16_000, 60, 12_000, 3100, 100] {
                client.send(Self.head(of: count))
                #expect(client.receiveResponse()?.status == 200, "a head of \(count) bytes")
            }
            #expect(await eventually { service.service.connectionCounts == [1] })
            client.send(Self.head(of: 17_000))
            #expect(client.receiveResponse()?.status == 431)
        }
    }

    @Test func longPipelinedHeadsAreAccepted() async throws {
        try await withService { service in
            for sizes in [[100, 8000, 100], [9000, 9000, 9000], [100, 100, 15_000], [3000, 16_000, 3000]] {
                let client = try service.client()
                client.send(sizes.map { Self.head(of: $0) }.joined())
                for count in sizes { #expect(client.receiveResponse()?.status == 200, "\(count) of \(sizes)") }
            }
        }
    }

    @Test(arguments: [10, 100, 500, 1400])
    func manySmallHeadersAndArgumentsAreAccepted(count: Int) async throws {
        try await withService { service in
            let fields = try service.client()
            fields.send(
                "GET /a HTTP/1.1\r\nHost: a\r\n" + (0..<count).map { "h\($0): \r\n" }.joined() + "\r\n")
            #expect(fields.receiveResponse()?.status == 200)
            let arguments = try service.client()
            let query = (0..<count).map { "a\($0)" }.joined(separator: "&")
            arguments.send("GET /refused?\(query) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(arguments.receiveResponse()?.status == 403)
        }
    }

    @Test func tooManyHeadersOrArgumentsAreRefused() async throws {
        try await withService { service in
            let fields = try service.client()
            fields.send("GET /a HTTP/1.1\r\nHost: a\r\n" + String(repeating: "a:\r\n", count: 3000) + "\r\n")
            #expect(fields.receiveResponse()?.status == 431)
            let arguments = try service.client()
            arguments.send("GET /a?\(String(repeating: "&", count: 5000)) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(arguments.receiveResponse()?.status == 414)
        }
    }

    /// The property that all of these need: if a handler ran, its response is sent.
    @Test func everyRequestWhoseHandlerRanGetsItsResponse() async throws {
        try await withService { service in
            var answered = 0
            for fields in stride(from: 0, through: 60, by: 3) {
                for count in stride(from: 0, through: 3600, by: 400) {
                    let client = try service.client()
                    let body = fields % 2 == 0 ? "" : "hello"
                    let many = (0..<fields).map { "h\($0): 1\r\n" }.joined()
                    client.send(
                        "POST /a HTTP/1.1\r\nHost: a\r\n\(many)X: \(String(repeating: "y", count: count))\r\n"
                            + "Content-Length: \(body.utf8.count)\r\n\r\n")
                    if !body.isEmpty { client.send(body) }
                    if client.receiveResponse()?.status == 200 { answered += 1 }
                }
            }
            #expect(service.handler.started.load(ordering: .relaxed) == answered)
            #expect(answered == 210)
        }
    }

    @Test func headsInSeveralPiecesAreAccepted() async throws {
        try await withService { service in
            let client = try service.client()
            for count in [60, 5000, 200] {
                let head = Array(Self.head(of: count).utf8)
                for start in stride(from: 0, to: head.count, by: max(head.count / 7, 1)) {
                    client.send(Array(head[start..<min(start + max(head.count / 7, 1), head.count)]))
                    try await Task.sleep(nanoseconds: 2_000_000)
                }
                #expect(client.receiveResponse()?.status == 200)
            }
        }
    }
}
