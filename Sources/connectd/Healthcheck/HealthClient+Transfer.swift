import CLinux
import ErrorCatalogue
import HTTPServer
import NetworkTypes
import SocketIO
import TLS

extension HealthClient {
    func connect(_ socket: borrowing Socket, to endpoint: Endpoint, _ token: SlotToken) async throws(Failure) {
        do throws(Errno) {
            if case .complete = try socket.connect(to: endpoint) { return }
        } catch {
            throw .kernel(error)
        }
        try await wait(for: .writable, token)
        do throws(Errno) {
            if let error = try socket.takePendingError() { throw error }
        } catch {
            throw .kernel(error)
        }
    }

    func handshake(
        with peer: HealthURL.Peer, on socket: borrowing Socket, _ token: SlotToken
    ) async throws(Failure) -> TLSChannel {
        let channel: TLSChannel
        do throws(TLSHandshakeFailure) {
            channel = try TLSContexts(reactor: reactor).channel(
                for: tls.options, host: peer.host, material: tls.material)
        } catch {
            throw .tls(error)
        }
        // A service that rejects our certificate sends an alert instead of a response.
        channel.awaitsLateVerdict = false
        switch await channel.handshake(on: socket, token: token, reactor: reactor, until: deadline) {
        case .completed: break
        case .failed(let failure): throw .tls(failure)
        case .broken(let error): throw .kernel(error)
        case .deadline, .cancelled, .expectedAlert: throw .deadline
        }
        if let flaw = tls.flaw(in: channel.report) { throw .wrongCertificate(flaw) }
        return channel
    }

    /// Sends all of the request.
    func send(
        _ request: [UInt8], on socket: borrowing Socket, _ token: SlotToken, through channel: TLSChannel?
    ) async throws(Failure) {
        var rest = request[...]
        while !rest.isEmpty {
            do throws(TLSTransferError) {
                rest = rest.dropFirst(try Self.send(rest, on: socket, through: channel))
            } catch {
                try Self.ignoreEAGAIN(error)
                try await wait(for: .writable, token)
            }
        }
    }

    private static func send(
        _ bytes: ArraySlice<UInt8>, on socket: borrowing Socket, through channel: TLSChannel?
    ) throws(TLSTransferError) -> Int {
        if let channel { return try channel.send(bytes, on: socket) }
        do throws(Errno) {
            return try socket.send(bytes)
        } catch {
            throw .kernel(error)
        }
    }

    private static func receive(
        on socket: borrowing Socket, through channel: TLSChannel?
    ) throws(TLSTransferError) -> [UInt8] {
        if let channel { return try channel.receive(from: socket, atMost: 4096) }
        do throws(Errno) {
            return try socket.receive(atMost: 4096)
        } catch {
            throw .kernel(error)
        }
    }

    /// - Throws: Any error other than EAGAIN.
    private static func ignoreEAGAIN(_ error: TLSTransferError) throws(Failure) {
        switch error {
        case .kernel(let errno) where errno.rawValue == EAGAIN: return
        case .kernel(let errno): throw .kernel(errno)
        case .tls(let failure): throw .tls(failure)
        }
    }

    /// Reads until the response is complete, the peer sends EOF, or `mostBytes` were read.
    func receive(
        on socket: borrowing Socket, _ token: SlotToken, through channel: TLSChannel?
    ) async throws(Failure) -> HealthResponse {
        var bytes: [UInt8] = []
        while bytes.count < Self.mostBytes {
            do throws(TLSTransferError) {
                let more = try Self.receive(on: socket, through: channel)
                if more.isEmpty { break }
                bytes += more
                if let response = HealthResponse(parsing: bytes), response.isComplete { return response }
            } catch {
                try Self.ignoreEAGAIN(error)
                // Without Content-Length and EOF, a complete head is enough for an answer.
                do throws(Failure) {
                    try await wait(for: .readable, token)
                } catch {
                    guard let response = HealthResponse(parsing: bytes) else { throw error }
                    return response
                }
            }
        }
        guard let response = HealthResponse(parsing: bytes) else { throw .notHTTP }
        return response
    }

    private func wait(for interest: Readiness, _ token: SlotToken) async throws(Failure) {
        switch await reactor.waitOnThread(token, for: interest, until: deadline) {
        case .ready: return
        case .deadline, .cancelled: throw .deadline
        }
    }
}

/// The thread for the TLS handshakes of HTTPS clients.
final class HandshakeThread {
    let reactor: Reactor
    private var thread: WorkerThread?

    /// - Parameter index: Follows the indices of the workers.
    init(index: Int) throws(Errno) {
        reactor = try Reactor(thread: ReactorThread(index: index))
        thread = try WorkerThread(running: reactor)
    }

    func front(_ context: ServerContext) -> HTTPSFront {
        HTTPSFront(context: context, reactor: reactor)
    }

    func stop() {
        thread.take()?.stopAndJoin()
    }
}
