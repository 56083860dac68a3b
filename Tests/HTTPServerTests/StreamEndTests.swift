import CLinux
import NetworkTypes
import Foundation
import HTTPServer
import SocketIO
import Synchronization
import Testing

private let streamRequest = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"

private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

/// Streams that end early.
@Suite struct StreamEndTests {
    // MARK: Client disconnects

    @Test(arguments: Channel.allCases, DepartureTests.Departure.allCases)
    func aDisconnectCancelsTheProducer(over channel: Channel, by departure: DepartureTests.Departure) async throws {
        try await withService(over: channel) { service in
            var fastest = UInt64.max
            for _ in 0..<5 {
                let stream = service.handler.addStream()
                let client = try service.client()
                client.send(streamRequest)
                #expect(client.receiveResponse(withoutBody: true)?.status == 200)
                stream.give("1")
                #expect(text(client.receiveChunk()) == "1")
                let left = Clock.now().nanoseconds
                switch departure {
                case .close: client.close()
                case .reset: client.reset()
                case .writingHalf: client.closeWritingHalf()
                }
                #expect(await eventually { stream.isCancelled })
                fastest = min(fastest, stream.cancelledAt - left)
                client.close()
            }
            #expect(fastest < 100_000_000, "\(fastest) ns")
            #expect(await eventually { service.service.connectionCounts == [0] })
            #expect(service.service.inFlightCount == 0)
        }
    }

    @Test(arguments: Channel.allCases)
    func aDisconnectEndsAWaitingWrite(over channel: Channel) async throws {
        try await withService(over: channel) { service in
            let stream = TestStream()
            service.handler.addStream("/stream") { try await stream.produceEndlessly($0, count: 100_000) }
            let client = try service.client(receiveBufferBytes: 4096)
            client.send(streamRequest)
            #expect(await eventually { service.memory.heldBytes(by: .answers) == 64 << 10 })
            client.reset()
            #expect(await eventually { stream.failure.withLock { $0 } == .clientLeft })
            #expect(await eventually { service.service.connectionCounts == [0] })
            #expect(service.memory.heldBytes(by: .answers) == 0)
        }
    }

    /// The client disconnects before the head is sent, so no producer has to be stopped.
    @Test func clientsThatDisconnectAtOnceLeakNothing() async throws {
        try await withService(workers: 2) { service in
            let stream = service.handler.addStream()
            for round in 0..<200 {
                let client = try service.client()
                client.send(streamRequest)
                if round % 2 == 0 { client.reset() } else { client.close() }
            }
            #expect(await eventually { service.service.connectionCounts == [0, 0] })
            #expect(service.service.inFlightCount == 0)
            _ = stream
        }
    }

    // MARK: Producer fails

    struct Failure: Error, CustomStringConvertible {
        var description: String { "the disk is full" }
    }

    @Test(arguments: Channel.allCases)
    func aProducerThatThrowsAbortsTheBody(over channel: Channel) async throws {
        let lines = Mutex<[String]>([])
        try await withService(over: channel, log: { line in lines.withLock { $0.append(line) } }) { service in
            service.handler.addStream("/stream") { writer in
                try await writer.write(Array("good".utf8))
                throw Failure()
            }
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            #expect(text(client.receiveChunk()) == "good")
            // EOF without the last chunk.
            #expect(client.receiveChunk() == nil)
            #expect(await eventually { service.service.inFlightCount == 0 })
            #expect(
                lines.withLock { $0 }.filter { $0.contains("GET /stream") && $0.contains("the disk is full") }.count
                    == 1)
            #expect(lines.withLock { $0.count } == 1)
        }
    }

    /// HTTP/1.0 has no last chunk. Only a reset shows that the body is incomplete.
    @Test(arguments: [Channel.plain, .https])
    func anHTTP10ClientSeesAResetAfterAnAbortedBody(over channel: Channel) async throws {
        try await withService(over: channel) { service in
            service.handler.addStream("/stream") { writer in
                try await writer.write(Array("good".utf8))
                throw Failure()
            }
            let client = try service.client()
            client.send("GET /stream HTTP/1.0\r\n\r\n")
            #expect(client.receiveAll() == nil)
            #expect(await eventually { service.service.connectionCounts == [0] })
        }
    }

    // MARK: Service shuts down

    @Test(arguments: Channel.allCases)
    func aStreamCanFinishDuringDrain(over channel: Channel) async throws {
        try await withService(over: channel) { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            let http = service.service
            async let isDrained = http.drain(until: Clock.now().advanced(byMilliseconds: 5000))
            try await Task.sleep(nanoseconds: 50_000_000)
            stream.give("late")
            #expect(text(client.receiveChunk()) == "late")
            stream.finish()
            #expect(client.receiveChunk() == [])
            #expect(await isDrained)
        }
    }

    @Test(arguments: Channel.allCases)
    func aStreamThatIsOpenAtShutdownIsAborted(over channel: Channel) async throws {
        try await withService(over: channel, workers: 2) { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            stream.give("1")
            #expect(text(client.receiveChunk()) == "1")
            #expect(await service.service.drain(until: Clock.now().advanced(byMilliseconds: 50)) == false)
            await service.service.shutDown()
            // The producer's loop ends without an error. That must not look like a complete body.
            #expect(stream.isCancelled)
            #expect(client.receiveChunk() == nil)
            #expect(service.service.connectionCounts == [0, 0])
        }
    }

    @Test func anHTTP10ClientSeesAResetAtShutdown() async throws {
        try await withService { service in
            let stream = service.handler.addStream()
            let client = try service.client()
            client.send("GET /stream HTTP/1.0\r\n\r\n")
            stream.give("1")
            #expect(await eventually { stream.isStarted })
            try await Task.sleep(nanoseconds: 20_000_000)
            await service.service.shutDown()
            #expect(client.receiveAll() == nil)
        }
    }

    @Test func aProducerThatIgnoresCancellationDoesNotDelayShutdown() async throws {
        var limits = HTTPLimits()
        limits.cancellationMilliseconds = 50
        try await withService(limits: limits) { service in
            let isReleased = Flag()
            service.handler.addStream("/stream") { writer in
                try await writer.write(Array("1".utf8))
                while !isReleased.isSet { await Task.yield() }
                try await writer.write(Array("2".utf8))
            }
            let client = try service.client()
            client.send(streamRequest)
            #expect(client.receiveResponse(withoutBody: true)?.status == 200)
            #expect(text(client.receiveChunk()) == "1")
            await service.service.shutDown()
            #expect(client.receiveChunk() == nil)
            isReleased.set()
        }
    }

    @Test func aStreamWithoutAReaderDoesNotDelayShutdown() async throws {
        var limits = HTTPLimits()
        limits.cancellationMilliseconds = 50
        try await withService(limits: limits) { service in
            let stream = TestStream()
            service.handler.addStream("/stream") { try await stream.produceEndlessly($0, count: 1 << 20) }
            service.handler.addStream("/finished") { try await $0.write([UInt8](repeating: 0, count: 12 << 20)) }
            let clients = try (0..<2).map { _ in try service.client(receiveBufferBytes: 4096) }
            clients[0].send(streamRequest)
            clients[1].send("GET /finished HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { service.memory.heldBytes(by: .answers) == 128 << 10 })
            await service.service.shutDown()
            #expect(service.service.connectionCounts == [0])
            #expect(service.memory.heldBytes == 0)
            #expect(!clients[0].receiveChunks().isComplete)
        }
    }

    // MARK: No leaks

    @Test func streamsLeakNoDescriptorHoweverTheyEnd() async throws {
        await #expect(processExitsWith: .success) {
            var limits = HTTPLimits()
            limits.sendTimeoutMilliseconds = 200
            try await withService(workers: 2, limits: limits) { service in
                service.handler.addStream("/endless") { writer in
                    while true { try await writer.write([UInt8](repeating: 120, count: 3000)) }
                }
                service.handler.addStream("/short") { try await $0.write([1, 2, 3]) }
                service.handler.addStream("/failing") { _ in throw Failure() }
                let before = DescriptorTests.openDescriptors()
                for round in 0..<10 {
                    let clients = try (0..<60).map { _ in try service.client(receiveBufferBytes: 4096) }
                    for (index, client) in clients.enumerated() {
                        let path = ["/endless", "/short", "/failing"][index % 3]
                        client.send("GET \(path) HTTP/1.\(index % 2)\r\nHost: a\r\n\r\n")
                    }
                    if round % 3 == 0 { try await Task.sleep(nanoseconds: 300_000_000) }
                    for client in clients { if round % 2 == 0 { client.reset() } else { client.close() } }
                }
                let isEmpty = await eventually {
                    service.service.connectionCounts == [0, 0] && DescriptorTests.openDescriptors() < before + 10
                }
                DescriptorTests.demand(
                    isEmpty, "\(service.service.connectionCounts) \(before) \(DescriptorTests.openDescriptors())")
                DescriptorTests.demand(service.memory.heldBytes == 0, "\(service.memory.heldBytes) bytes are charged")
                DescriptorTests.demand(service.service.inFlightCount == 0, "\(service.service.inFlightCount)")
            }
        }
    }
}
