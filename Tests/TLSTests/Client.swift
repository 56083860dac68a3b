import CLinux
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
@testable import TLS
import Testing

/// Somebody who listens as long as the value is there.
protocol LoopbackPeer: AnyObject, Sendable {
    var endpoint: IPEndpoint { get }
}

/// What a handshake came to.
struct HandshakeResult: Sendable {
    let ending: TLSHandshakeOutcome
    let report: TLSReport

    /// Without a wait for a verdict, which lasts 500 ms.
    var wasSoon: Bool { report.handshakeNanoseconds < 400_000_000 }
    /// The failure's name; nil unless it failed.
    var name: TLSFailure? {
        if case .failed(let failure) = ending { failure.name } else { nil }
    }
    var failure: TLSHandshakeFailure? {
        if case .failed(let failure) = ending { failure } else { nil }
    }
}

/// A reactor with a thread, and handshakes on it as the engine does them.
struct Client {
    var options = TLSOptions()
    var host: Host? = .name("a.example")
    var material = TLSMaterial()
    var milliseconds = 5000

    /// Trusts the authority, by the name `test`.
    init(trusting authority: Identity? = nil) throws {
        guard let authority else { return }
        material = TLSMaterial(authorities: ["test": try TrustAnchors(pem: authority.certificatePEM)])
        options.authority = "test"
    }

    /// What the engine has at hand once the handshake is over.
    struct Connection {
        let channel: TLSChannel
        let stream: SocketStream
    }

    func handshake(with peer: some LoopbackPeer) async throws -> HandshakeResult {
        try await handshake(with: peer) { _, _ in }.result
    }

    /// Tries again where it took long: a busy machine does that now and then, a wait that should not be there always.
    func handshakeWithoutWait(with peer: some LoopbackPeer) async throws -> HandshakeResult {
        var result = try await handshake(with: peer)
        for _ in 0..<5 where !result.wasSoon { result = try await handshake(with: peer) }
        return result
    }

    /// - Parameter after: run on the reactor's thread, where the handshake was completed.
    func handshake<Value: Sendable>(
        with peer: some LoopbackPeer, _ after: @escaping @Sendable (Connection, borrowing Socket) async throws -> Value
    ) async throws -> (result: HandshakeResult, value: Value?) {
        try await onReactor { reactor in try await connect(to: peer.endpoint, reactor, after) }
    }

    func connect<Value: Sendable>(
        to endpoint: IPEndpoint, _ reactor: Reactor, _ after: (Connection, borrowing Socket) async throws -> Value
    ) async throws -> (result: HandshakeResult, value: Value?) {
        let deadline = Clock.now().advanced(byMilliseconds: milliseconds)
        let socket = try Socket(.tcp(.ipv4))
        let token = try reactor.addOnThread(socket.number, for: .anything)
        defer { reactor.removeOnThread(token) }
        if try socket.connect(to: .ip(endpoint)) == .inProgress {
            #expect(await reactor.waitOnThread(token, for: .writable, until: deadline) == .ready)
        }
        let channel = try TLSContexts(reactor: reactor).channel(for: options, host: host, material: material)
        let stream = SocketStream(on: socket.number, token: token, reactor: reactor, until: deadline)
        let ending = await channel.handshake(on: stream)
        let result = HandshakeResult(ending: ending, report: channel.report)
        guard ending == .completed else { return (result, nil) }
        let connection = Connection(channel: channel, stream: stream)
        return (result, try await after(connection, socket))
    }
}

extension Client {
    /// Performs the handshake, and reads until an error occurs; nil if EOF comes first.
    func errorWhileReceiving(from peer: some LoopbackPeer) async throws -> TLSTransferError? {
        try await handshake(with: peer) { connection, socket -> TLSTransferError? in
            do throws(TLSTransferError) {
                _ = try await connection.receive()
                return nil
            } catch {
                return error
            }
        }.value ?? nil
    }

    /// The same where it has to be a breach of TLS.
    func breachWhileReceiving(from peer: some LoopbackPeer) async throws -> TLSHandshakeFailure? {
        let error = try await errorWhileReceiving(from: peer)
        guard case .tls(let failure)? = error else {
            Issue.record("\(String(describing: error))")
            return nil
        }
        return failure
    }
}

extension Client.Connection {
    /// Reads until the end.
    func receive() async throws(TLSTransferError) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            if let bytes = try receiveOnce() {
                if bytes.isEmpty { return all }
                all += bytes
            } else {
                try await wait(for: .readable)
            }
        }
    }

    func send(_ bytes: [UInt8]) async throws(TLSTransferError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if let count = try sendOnce(rest) {
                rest = rest.dropFirst(count)
            } else {
                try await wait(for: .writable)
            }
        }
    }

    /// nil: nothing is there.
    func receiveOnce() throws(TLSTransferError) -> [UInt8]? {
        do throws(TLSTransferError) {
            return try channel.receive(from: stream, atMost: 16384)
        } catch {
            guard error == .kernel(Errno(EAGAIN)) else { throw error }
            return nil
        }
    }

    /// nil: there is no room.
    func sendOnce(_ bytes: ArraySlice<UInt8>) throws(TLSTransferError) -> Int? {
        do throws(TLSTransferError) {
            return try channel.send(bytes, on: stream)
        } catch {
            guard error == .kernel(Errno(EAGAIN)) else { throw error }
            return nil
        }
    }

    private func wait(for interest: Readiness) async throws(TLSTransferError) {
        do throws(SocketStream.Failure) {
            try await stream.wait(for: interest, until: stream.deadline)
        } catch {
            throw .kernel(Errno(ETIMEDOUT))
        }
    }
}

/// Runs `body` as a task of a reactor's thread, as the service runs its checks, and ends the reactor.
func onReactor<Value: Sendable>(_ body: @escaping @Sendable (Reactor) async throws -> Value) async throws -> Value {
    let reactor = try Reactor(thread: ReactorThread(index: 0))
    let thread = try WorkerThread(running: reactor)
    let result = await Task(executorPreference: reactor.thread) { try await body(reactor) }.result
    thread.stopAndJoin()
    return try result.get()
}
