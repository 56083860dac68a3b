import CLinux
import NetworkTypes
import SocketIO
import Synchronization
import Testing

@Suite struct SocketStreamTests {
    /// Runs `body` with a stream over one end of a socketpair(2), and the other end as a descriptor.
    private func withStream<Result: Sendable>(
        milliseconds: Int = 5000, _ body: @escaping @Sendable (SocketStream, Int32) async throws -> Result
    ) async throws -> Result {
        let pair = try SocketPair()
        return try await withReactor { reactor in
            try await onThread(of: reactor) {
                let token = try reactor.addOnThread(pair.near, for: .anything)
                defer { reactor.removeOnThread(token) }
                let stream = SocketStream(
                    on: pair.near, token: token, reactor: reactor,
                    until: Clock.now().advanced(byMilliseconds: milliseconds))
                return try await body(stream, pair.far)
            }
        }
    }

    @Test func `bytes that are there are received without a wait`() async throws {
        try await withStream { stream, peer in
            let waits = Counter()
            stream.noteWait = { _ in waits.add() }
            write(peer, "abc", 3)
            let first = try await stream.receive(atMost: 2)
            #expect(first == Array("ab".utf8))
            let second = try await stream.receive(atMost: 2)
            #expect(second == Array("c".utf8))
            #expect(waits.count == 0)
        }
    }

    @Test func `a receive waits for bytes, and an end is empty`() async throws {
        try await withStream { stream, peer in
            let waits = Mutex<[Bool]>([])
            let log = Shared(waits)
            stream.noteWait = { isWaiting in log.value.withLock { $0.append(isWaiting) } }
            Task(executorPreference: stream.reactor.thread) { [reactor = stream.reactor] in
                _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 5))
                write(peer, "x", 1)
                shutdown(peer, Int32(SHUT_WR))
            }
            let bytes = try await stream.receive(atMost: 100)
            #expect(bytes == Array("x".utf8))
            let end = try await stream.receive(atMost: 100)
            #expect(end == [])
            #expect(log.value.withLock { $0 } == [true, false])
        }
    }

    @Test func `a peek leaves the bytes in the socket`() async throws {
        try await withStream { stream, peer in
            #expect(throws: Errno(EAGAIN)) { try stream.peekNow(atMost: 2) }
            write(peer, "abc", 3)
            let peeked = try stream.peekNow(atMost: 2)
            #expect(peeked == Array("ab".utf8))
            let received = try await stream.receive(atMost: 100)
            #expect(received == Array("abc".utf8))
        }
    }

    @Test func `a send waits for room until the peer has read everything`() async throws {
        let count = 4 << 20
        try await withStream { stream, peer in
            let reader = Task.detached { read(count, from: peer) }
            try await stream.send([UInt8](repeating: 7, count: count))
            #expect(await reader.value == count)
        }
    }

    @Test func `a deadline ends a receive and a send`() async throws {
        try await withStream(milliseconds: 30) { stream, _ in
            await #expect(throws: SocketStream.Failure.deadline) { try await stream.receive(atMost: 1) }
            stream.deadline = Clock.now().advanced(byMilliseconds: 30)
            await #expect(throws: SocketStream.Failure.deadline) {
                try await stream.send([UInt8](repeating: 0, count: 64 << 20))
            }
        }
    }

    @Test func `the errno of a failure is reported`() async throws {
        try await withStream { stream, peer in
            shutdown(peer, Int32(SHUT_RDWR))
            await #expect(throws: SocketStream.Failure.kernel(Errno(EPIPE))) { try await stream.send([1]) }
        }
    }

    @Test func `a cancelled task does not wait`() async throws {
        try await withStream { stream, _ in
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: SocketStream.Failure.cancelled) { try await stream.receive(atMost: 1) }
        }
    }

    @Test func `a peer that never stops sending keeps neither the thread nor the deadline`() async throws {
        try await withStream(milliseconds: 300) { stream, peer in
            let others = Counter()
            let other = Task(executorPreference: stream.reactor.thread) { [reactor = stream.reactor] in
                while await reactor.sleep(until: Clock.now()) != .cancelled { others.add() }
            }
            var receives = 0
            await #expect(throws: SocketStream.Failure.deadline) {
                while true {
                    // There are always bytes: each receive succeeds at once.
                    write(peer, "xx", 2)
                    _ = try await stream.receive(atMost: 1)
                    receives += 1
                    if receives.isMultiple(of: 1000) { _ = try stream.receiveNow(atMost: 65536) }
                }
            }
            other.cancel()
            #expect(receives > 4)
            #expect(others.count > 4)
        }
    }
}

/// Reads `count` bytes, on the caller's thread.
/// - Returns: how many there were before the end.
private func read(_ count: Int, from descriptor: Int32) -> Int {
    var buffer = [UInt8](repeating: 0, count: 65536)
    var total = 0
    while total < count {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 5000) == 1 else { break }
        let received = CLinux.read(descriptor, &buffer, buffer.count)
        if received <= 0 { break }
        total += received
    }
    return total
}

/// A non-blocking socketpair(2) that is closed with its owner.
private final class SocketPair: Sendable {
    let near: Int32
    let far: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, connectd_sock_stream | connectd_sock_nonblock, 0, &ends) == 0 else {
            throw Errno.current
        }
        (near, far) = (ends[0], ends[1])
    }

    deinit {
        close(near)
        close(far)
    }
}
