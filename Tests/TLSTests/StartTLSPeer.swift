import CLinux
import CheckModel
import ErrorCatalogue
import Foundation
import NetworkTypes
@testable import STARTTLS
import SocketIO
@testable import TLS
import TestSupport
import Testing

/// A peer on loopback that follows a script on a thread of its own, and somebody who asks it for TLS.
struct StartTLSPeer: ~Copyable {
    /// The peer's end of the connection: blocking, with five seconds of patience.
    struct Connection: Sendable {
        let number: Int32

        func say(_ text: String) { say(Latin1.bytes(text)) }

        func say(_ bytes: [UInt8]) { _ = send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

        /// What comes next; empty at the end.
        @discardableResult func hear() -> String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            return Latin1.text(buffer[..<max(recv(number, &buffer, buffer.count, 0), 0)])
        }

        /// Closes with a reset.
        func breakOff() {
            var value = linger(l_onoff: 1, l_linger: 0)
            setsockopt(number, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        }
    }

    private let listener: Socket
    private let isOver = DispatchSemaphore(value: 0)

    init(_ script: @escaping @Sendable (Connection) -> Void) throws {
        let listener = try Socket(.tcp(.ipv4), nonBlocking: false)
        try listener.bind(to: IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0))
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        let number = listener.number
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        listen(number, 1)
        Thread.detachNewThread { [isOver] in
            let end = accept(number, nil, nil)
            if end >= 0 {
                var patience = timeval(tv_sec: 5, tv_usec: 0)
                setsockopt(end, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
                script(Connection(number: end))
                close(end)
            }
            isOver.signal()
        }
        self.listener = listener
    }

    deinit {
        isOver.wait()
    }

    /// Asks on a reactor's thread, as the engine does.
    func negotiate(
        _ protocolName: StartTLSProtocol, milliseconds: Int = 5000
    ) async throws -> TLSHandshakeOutcome {
        try await Self.negotiate(protocolName, with: try endpoint, milliseconds: milliseconds) { _ in }
    }

    var endpoint: Endpoint {
        get throws {
            let name = listener.localName()
            return .ip(try #require(name))
        }
    }

    /// - Parameter after: what is done on the blocking socket where the peer is ready.
    static func negotiate(
        _ name: StartTLSProtocol, with endpoint: Endpoint, milliseconds: Int = 5000,
        after: @escaping @Sendable (Int32) throws -> Void
    ) async throws -> TLSHandshakeOutcome {
        let reactor = try Reactor(thread: ReactorThread(index: 0))
        let thread = try WorkerThread(running: reactor)
        let task = Task(executorPreference: reactor.thread) {
            let deadline = Clock.now().advanced(byMilliseconds: milliseconds)
            let socket = try Socket(.tcp(.ipv4))
            let token = try reactor.addOnThread(socket.number, for: .anything)
            defer { reactor.removeOnThread(token) }
            if try socket.connect(to: endpoint) == .inProgress {
                _ = await reactor.waitOnThread(token, for: .writable, until: deadline)
            }
            let stream = SocketStream(on: socket.number, token: token, reactor: reactor, until: deadline)
            let ending = await name.negotiate(host: "a.example", on: stream)
            if ending == .completed { try after(socket.number) }
            return ending
        }
        // A test that is cancelled ends the negotiation.
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        thread.stopAndJoin()
        return try result.get()
    }
}
