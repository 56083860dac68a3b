import CLinux
import NetworkTypes
import Foundation
import HTTPServer
import SocketIO
import Synchronization
import Testing

/// How a test connects to a service.
enum Channel: CaseIterable {
    case plain, https, unix
}

/// Runs `body` with a service that listens on this channel.
func withService(
    over channel: Channel, workers: Int = 1, limits: HTTPLimits = HTTPLimits(),
    log: @escaping @Sendable (String) -> Void = { _ in }, _ body: (TestService) async throws -> Void
) async throws {
    let https = channel == .https ? try TestCertificate.makeServerContext() : nil
    let file = Array("/tmp/connectd-test-\(UUID().uuidString).sock".utf8)
    try await withService(
        workers: workers, on: [channel == .unix ? .unix(path: file) : anyLoopbackPort], limits: limits, https: https,
        log: log, body)
}

/// A stream whose pieces the test provides, and its result.
final class TestStream: Sendable {
    private let pieces: AsyncStream<[UInt8]>
    private let source: AsyncStream<[UInt8]>.Continuation
    private let started = Atomic<Bool>(false)
    private let cancelled = Atomic<UInt64>(0)
    let failure = Mutex<ResponseStreamError?>(nil)

    init() {
        (pieces, source) = AsyncStream.makeStream()
    }

    func give(_ text: String) { source.yield(Array(text.utf8)) }
    func finish() { source.finish() }

    var isStarted: Bool { started.load(ordering: .acquiring) }
    var isCancelled: Bool { cancelledAt > 0 }
    /// Nanoseconds of CLOCK_MONOTONIC; 0 before the producer has ended.
    var cancelledAt: UInt64 { cancelled.load(ordering: .acquiring) }

    /// Writes the pieces that the test provides.
    func produce(_ writer: ResponseWriter) async throws {
        started.store(true, ordering: .releasing)
        try await withTaskCancellationHandler {
            do {
                for await piece in pieces { try await writer.write(piece) }
            } catch let error as ResponseStreamError {
                failure.withLock { $0 = error }
                throw error
            }
        } onCancel: {
            cancelled.store(Clock.now().nanoseconds, ordering: .releasing)
        }
    }

    /// Writes pieces of one length until the stream accepts no more.
    func produceEndlessly(_ writer: ResponseWriter, count: Int) async throws {
        started.store(true, ordering: .releasing)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: count)
        try await withTaskCancellationHandler {
            do {
                while true { try await writer.write(piece) }
            } catch let error as ResponseStreamError {
                failure.withLock { $0 = error }
                throw error
            }
        } onCancel: {
            cancelled.store(Clock.now().nanoseconds, ordering: .releasing)
        }
    }
}

final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

extension TestHandler {
    func addStream(_ path: String, _ producer: @escaping StreamProducer) {
        streams.withLock { $0[path] = producer }
    }

    /// Adds a stream at `/stream` whose pieces the test provides.
    func addStream() -> TestStream {
        let stream = TestStream()
        addStream("/stream") { try await stream.produce($0) }
        return stream
    }
}

private let streamRequest = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"

/// Whether `bytes` begins with a chunk; `==` of slices takes minutes for 100 MB in a debug build.
private func isEqual(_ chunk: [UInt8], _ bytes: ArraySlice<UInt8>) -> Bool {
    chunk.withUnsafeBytes { left in
        bytes.withUnsafeBytes { right in
            guard let left = left.baseAddress, let right = right.baseAddress else { return false }
            return memcmp(left, right, chunk.count) == 0
        }
    }
}

private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

/// Responses whose bodies are written while they are sent.
@Suite struct StreamTests {
    @Test(arguments: Channel.allCases)
    func eachPieceArrivesAtOnce(over channel: Channel) async throws {
        try await withService(over: channel) { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            client.send(streamRequest)
            let head = client.receiveResponse(withoutBody: true)
            #expect(head?.status == 200)
            #expect(head?.header("transfer-encoding") == "chunked")
            #expect(head?.header("content-length") == nil)
            for number in 0..<50 {
                stream.give("piece \(number)\n")
                #expect(text(client.receiveChunk()) == "piece \(number)\n")
            }
            stream.finish()
            #expect(client.receiveChunk() == [])
            #expect(await eventually { service.service.inFlightCount == 0 })
        }
    }

    @Test(arguments: Channel.allCases)
    func aConnectionIsReusedAfterAStream(over channel: Channel) async throws {
        try await withService(over: channel) { service in
            service.handler.addStream("/stream") { writer in
                for number in 0..<3 { try await writer.write(Array("\(number)".utf8)) }
            }
            let client = try service.client()
            for _ in 0..<3 {
                client.send(streamRequest)
                #expect(client.receiveResponse(withoutBody: true)?.status == 200)
                #expect(text(client.receiveChunks().bytes) == "012")
                client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(client.receiveResponse()?.body == "GET a  - ")
            }
        }
    }

    @Test func pipelinedRequestsWaitForTheStreamBeforeThem() async throws {
        try await withService { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            let plain = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
            client.send(plain + streamRequest + plain + streamRequest + plain)
            stream.give("1")
            #expect(client.receiveResponse()?.status == 200)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            #expect(text(client.receiveChunk()) == "1")
            stream.finish()
            #expect(client.receiveChunks().isComplete)
            #expect(client.receiveResponse()?.status == 200)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            #expect(client.receiveChunks().isComplete)
            #expect(client.receiveResponse()?.status == 200)
        }
    }

    @Test func anHTTP10ClientReadsUntilEOF() async throws {
        try await withService { service in
            service.handler.addStream("/stream") { writer in
                for number in 0..<100 { try await writer.write(Array("\(number) ".utf8)) }
            }
            let client = try service.client()
            client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let answer = client.receiveAll()
            #expect(answer?.lowercased().contains("transfer-encoding") == false)
            #expect(answer?.hasSuffix((0..<100).map { "\($0) " }.joined()) == true)
            #expect(answer?.contains("\r\n\r\n0 1 2 ") == true)
        }
    }

    @Test func headReturnsNoBodyAndStartsNoProducer() async throws {
        try await withService { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = client.receiveAll() ?? "a reset"
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\n"), "\(answer)")
            #expect(answer.components(separatedBy: "\r\n\r\n").count == 2, "\(answer)")
            #expect(answer.contains("Connection: close") && !answer.lowercased().contains("content-length"))
            #expect(!stream.isStarted)
        }
    }

    @Test func aStreamWithoutPiecesHasAnEmptyBody() async throws {
        try await withService { service in
            service.handler.addStream("/stream") { try await $0.write([]) }
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            let (bytes, isComplete) = client.receiveChunks()
            #expect(bytes.isEmpty && isComplete)
        }
    }

    @Test func aStreamCanBeAdmittedByTheHeadAlone() async throws {
        try await withService { service in
            service.handler.addStream("/early-stream") { try await $0.write(Array("early".utf8)) }
            let client = try service.client()
            for request in [
                "GET /early-stream HTTP/1.1\r\nHost: a\r\n\r\n",
                "POST /early-stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            ] {
                client.send(request)
                #expect(client.receiveResponse(withoutBody: true)?.status == 200)
                #expect(text(client.receiveChunks().bytes) == "early")
            }
            client.send("POST /early-stream HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n")
            #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 413 ") == true)
        }
    }

    /// The connection belongs to the library with the large memory.
    @Test func aRequestWithALongHeadCanGetAStream() async throws {
        try await withService { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 9000))\r\n\r\n")
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            stream.give("1")
            #expect(text(client.receiveChunk()) == "1")
            stream.finish()
            #expect(client.receiveChunk() == [])
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse()?.status == 200)
        }
    }

    @Test(arguments: Channel.allCases)
    func manySmallPiecesArriveInOrder(over channel: Channel) async throws {
        try await withService(over: channel) { service in
            service.handler.addStream("/stream") { writer in
                for number in 0..<10_000 { try await writer.write(Array("\(number)\n".utf8)) }
            }
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            let (bytes, isComplete) = client.receiveChunks()
            #expect(isComplete)
            #expect(text(bytes) == (0..<10_000).map { "\($0)\n" }.joined())
        }
    }

    @Test(arguments: Channel.allCases)
    func aSlowReaderGetsEverythingAndUsesOneBuffer(over channel: Channel) async throws {
        try await withService(over: channel) { service in
            let piece = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            service.handler.addStream("/stream") { writer in
                for _ in 0..<100 { try await writer.write(piece) }
            }
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            var count = 0
            var isRight = true
            var highest = 0
            while let chunk = client.receiveChunk(), !chunk.isEmpty {
                let start = count % piece.count
                isRight = isRight && start + chunk.count <= piece.count && isEqual(chunk, piece[start...])
                count += chunk.count
                highest = max(highest, service.memory.heldBytes(by: .answers))
                if count % (4 << 20) < chunk.count { try await Task.sleep(nanoseconds: 10_000_000) }
            }
            #expect(count == 100 << 20 && isRight)
            #expect(highest > 0 && highest <= 64 << 10, "\(highest)")
            #expect(await eventually { service.memory.heldBytes(by: .answers) == 0 })
        }
    }

    @Test(arguments: Channel.allCases)
    func aReaderThatStopsIsDisconnectedAtTheDeadline(over channel: Channel) async throws {
        var limits = HTTPLimits()
        limits.sendTimeoutMilliseconds = 300
        try await withService(over: channel, limits: limits) { service in
            let stream = TestStream()
            service.handler.addStream("/stream") { try await stream.produceEndlessly($0, count: 1000) }
            let client = try service.client(receiveBufferBytes: 4096)
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            var highest = 0
            #expect(
                await eventually {
                    highest = max(highest, service.memory.heldBytes(by: .answers))
                    return stream.isCancelled
                })
            #expect(highest <= 64 << 10)
            #expect(await eventually { stream.failure.withLock { $0 } == .clientTooSlow })
            #expect(await eventually { service.service.inFlightCount == 0 })
            #expect(service.memory.heldBytes(by: .answers) == 0)
            #expect(!client.receiveChunks().isComplete)
        }
    }

    @Test func aSilentProducerIsNotEnded() async throws {
        var limits = HTTPLimits()
        limits.headTimeoutMilliseconds = 100
        limits.bodyTimeoutMilliseconds = 100
        limits.idleTimeoutMilliseconds = 100
        limits.sendTimeoutMilliseconds = 100
        try await withService(limits: limits) { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            try await Task.sleep(nanoseconds: 800_000_000)
            stream.give("still here")
            #expect(text(client.receiveChunk()) == "still here")
            stream.finish()
            #expect(client.receiveChunk() == [])
        }
    }

    @Test func twoStreamsOnOneWorkerDoNotWaitForEachOther() async throws {
        try await withService { service in
            let endless = TestStream()
            service.handler.addStream("/endless") { try await endless.produceEndlessly($0, count: 1 << 20) }
            let first = service.handler.addStream()
            let stopped = try service.client()
            stopped.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            let clients = try (0..<2).map { _ in try service.client() }
            clients[0].send(streamRequest)
            #expect(clients[0].receiveResponse(withoutBody: true)?.status == 200)
            for number in 0..<20 {
                first.give("\(number)")
                #expect(text(clients[0].receiveChunk()) == "\(number)")
                clients[1].send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(clients[1].receiveResponse()?.status == 200)
            }
        }
    }

    @Test func aFastReaderDoesNotBlockTheWorker() async throws {
        try await withService { service in
            let endless = TestStream()
            service.handler.addStream("/endless") { try await endless.produceEndlessly($0, count: 1 << 16) }
            let greedy = try service.client()
            greedy.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            let isDone = Flag()
            await withTaskGroup(of: Void.self) { group in
                let number = greedy.descriptor
                group.addTask {
                    var buffer = [UInt8](repeating: 0, count: 1 << 18)
                    while !isDone.isSet, recv(number, &buffer, buffer.count, 0) > 0 {}
                }
                do {
                    let client = try service.client()
                    for _ in 0..<20 {
                        client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                        #expect(client.receiveResponse()?.status == 200)
                    }
                } catch {
                    Issue.record(error)
                }
                isDone.set()
            }
        }
    }

    @Test func piecesOfSeveralTasksAreNotInterleaved() async throws {
        try await withService { service in
            service.handler.addStream("/stream") { writer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for letter in UInt8(ascii: "a")...UInt8(ascii: "h") {
                        group.addTask {
                            let line = [UInt8](repeating: letter, count: 50_000) + [UInt8(ascii: "\n")]
                            for _ in 0..<10 { try await writer.write(line) }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let client = try service.client(receiveBufferBytes: 65536)
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            let (bytes, isComplete) = client.receiveChunks()
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            #expect(isComplete && lines.count == 80)
            #expect(lines.allSatisfy { $0.count == 50_000 && Set($0).count == 1 })
        }
    }

    @Test func aCanceledWriteLeavesTheStreamIntact() async throws {
        try await withService { service in
            let outcome = TestStream()
            service.handler.addStream("/stream") { writer in
                let line = [UInt8](repeating: UInt8(ascii: "a"), count: 8 << 20)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await writer.write(line) }
                    try await Task.sleep(nanoseconds: 50_000_000)
                    try await withThrowingTaskGroup(of: Void.self) { cancelled in
                        cancelled.addTask {
                            do throws(ResponseStreamError) {
                                try await writer.write(Array("never".utf8))
                            } catch {
                                outcome.failure.withLock { $0 = error }
                            }
                        }
                        try await Task.sleep(nanoseconds: 50_000_000)
                        cancelled.cancelAll()
                    }
                    try await group.waitForAll()
                }
                try await writer.write(Array("end".utf8))
            }
            let client = try service.client(receiveBufferBytes: 65536)
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            #expect(await eventually { outcome.failure.withLock { $0 } == .cancelled })
            let (bytes, isComplete) = client.receiveChunks()
            #expect(isComplete && bytes.count == (8 << 20) + 3 && text(bytes.suffix(3)) == "end")
        }
    }
}
