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
struct Shaken: Sendable {
    let ending: TLSHandshakeEnding
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
    struct Line {
        let channel: TLSChannel
        let token: SlotToken
        let reactor: Reactor
        let deadline: MonotonicTime
    }

    func shake(with peer: some LoopbackPeer) async throws -> Shaken {
        try await shake(with: peer) { _, _ in }.shaken
    }

    /// Tries again where it took long: a busy machine does that now and then, a wait that should not be there always.
    func shakeSoon(with peer: some LoopbackPeer) async throws -> Shaken {
        var shaken = try await shake(with: peer)
        for _ in 0..<5 where !shaken.wasSoon { shaken = try await shake(with: peer) }
        return shaken
    }

    /// - Parameter after: run on the reactor's thread, where the handshake was completed.
    func shake<Value: Sendable>(
        with peer: some LoopbackPeer, _ after: @escaping @Sendable (Line, borrowing Socket) async throws -> Value
    ) async throws -> (shaken: Shaken, value: Value?) {
        try await onReactor { reactor in try await connect(to: peer.endpoint, reactor, after) }
    }

    func connect<Value: Sendable>(
        to endpoint: IPEndpoint, _ reactor: Reactor, _ after: (Line, borrowing Socket) async throws -> Value
    ) async throws -> (shaken: Shaken, value: Value?) {
        let deadline = Clock.now().advanced(byMilliseconds: milliseconds)
        let socket = try Socket(.tcp(.ipv4))
        let token = try reactor.addOnThread(socket.number, for: .anything)
        defer { reactor.removeOnThread(token) }
        if try socket.connect(to: .ip(endpoint)) == .inProgress {
            #expect(await reactor.waitOnThread(token, for: .writable, until: deadline) == .ready)
        }
        let channel = try TLSContexts(reactor: reactor).channel(for: options, host: host, material: material)
        let ending = await channel.handshake(on: socket, token: token, reactor: reactor, until: deadline)
        let shaken = Shaken(ending: ending, report: channel.report)
        guard ending == .completed else { return (shaken, nil) }
        let line = Line(channel: channel, token: token, reactor: reactor, deadline: deadline)
        return (shaken, try await after(line, socket))
    }
}

extension Client {
    /// Performs the handshake, and reads until an error occurs; nil if EOF comes first.
    func errorWhileReceiving(from peer: some LoopbackPeer) async throws -> TLSTransferError? {
        try await shake(with: peer) { line, socket -> TLSTransferError? in
            do throws(TLSTransferError) {
                _ = try await line.receive(from: socket)
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

extension Client.Line {
    /// Reads until the end.
    func receive(from socket: borrowing Socket) async throws(TLSTransferError) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            if let bytes = try receiveOnce(from: socket) {
                if bytes.isEmpty { return all }
                all += bytes
            } else {
                try await wait(for: .readable)
            }
        }
    }

    func send(_ bytes: [UInt8], on socket: borrowing Socket) async throws(TLSTransferError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if let count = try sendOnce(rest, on: socket) {
                rest = rest.dropFirst(count)
            } else {
                try await wait(for: .writable)
            }
        }
    }

    /// nil: nothing is there.
    func receiveOnce(from socket: borrowing Socket) throws(TLSTransferError) -> [UInt8]? {
        do throws(TLSTransferError) {
            return try channel.receive(from: socket, atMost: 16384)
        } catch {
            guard error == .kernel(Errno(EAGAIN)) else { throw error }
            return nil
        }
    }

    /// nil: there is no room.
    func sendOnce(_ bytes: ArraySlice<UInt8>, on socket: borrowing Socket) throws(TLSTransferError) -> Int? {
        do throws(TLSTransferError) {
            return try channel.send(bytes, on: socket)
        } catch {
            guard error == .kernel(Errno(EAGAIN)) else { throw error }
            return nil
        }
    }

    private func wait(for interest: Readiness) async throws(TLSTransferError) {
        guard await reactor.waitOnThread(token, for: interest, until: deadline) == .ready else {
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
