import CLinux
import ErrorCatalogue
import HTTPServer
import NetworkTypes
import SocketIO
import TLS

extension HealthClient {
    func connect(_ socket: borrowing Socket, to endpoint: Endpoint, _ stream: SocketStream) async throws(Failure) {
        do throws(Errno) {
            if case .complete = try socket.connect(to: endpoint) { return }
        } catch {
            throw .kernel(error)
        }
        do throws(SocketStream.Failure) {
            try await stream.wait(for: .writable, until: deadline)
        } catch {
            throw Failure(error)
        }
        do throws(Errno) {
            if let error = try socket.takePendingError() { throw error }
        } catch {
            throw .kernel(error)
        }
    }

    func handshake(with peer: HealthURL.Peer, on stream: SocketStream) async throws(Failure) -> TLSChannel {
        let channel: TLSChannel
        do throws(TLSHandshakeFailure) {
            channel = try TLSContexts(reactor: reactor).channel(
                for: tls.options, host: peer.host, material: tls.material)
        } catch {
            throw .tls(error)
        }
        // A service that rejects our certificate sends an alert instead of a response.
        channel.awaitsLateVerdict = false
        switch await channel.handshake(on: stream) {
        case .completed: break
        case .failed(let failure): throw .tls(failure)
        case .broken(let error): throw .kernel(error)
        case .deadline, .cancelled, .expectedAlert: throw .deadline
        }
        if let flaw = tls.flaw(in: channel.report) { throw .wrongCertificate(flaw) }
        return channel
    }
}

/// The connection of one health check, after its TLS handshake if it has one.
struct HealthConnection {
    typealias Failure = HealthClient.Failure

    let stream: SocketStream
    /// nil for http.
    let channel: TLSChannel?

    private static let mostBytes = 65_536

    /// Sends all of the request.
    func send(_ request: [UInt8]) async throws(Failure) {
        var sentCount = 0
        while sentCount < request.count {
            do throws(SocketStream.Failure) { try await stream.awaitTurn() } catch { throw Failure(error) }
            do throws(TLSTransferError) {
                sentCount += try sendNow(request[sentCount...])
            } catch {
                try await recover(from: error, for: .writable)
            }
        }
    }

    /// Receives until the response is complete, the peer sends EOF, or 64 KiB were received.
    func receive() async throws(Failure) -> HealthResponse {
        var bytes: [UInt8] = []
        while bytes.count < Self.mostBytes {
            do throws(Failure) {
                let more = try await receiveSome()
                if more.isEmpty { break }
                bytes += more
                if let response = HealthResponse(parsing: bytes), response.isComplete { return response }
            } catch {
                // Without Content-Length and EOF, a complete head is enough for an answer.
                if case .deadline = error, let response = HealthResponse(parsing: bytes) { return response }
                throw error
            }
        }
        guard let response = HealthResponse(parsing: bytes) else { throw .notHTTP }
        return response
    }

    private func receiveSome() async throws(Failure) -> [UInt8] {
        while true {
            do throws(SocketStream.Failure) { try await stream.awaitTurn() } catch { throw Failure(error) }
            do throws(TLSTransferError) {
                return try receiveNow()
            } catch {
                try await recover(from: error, for: .readable)
            }
        }
    }

    private func sendNow(_ bytes: ArraySlice<UInt8>) throws(TLSTransferError) -> Int {
        if let channel { return try channel.send(bytes, on: stream) }
        do throws(Errno) { return try stream.sendNow(bytes) } catch { throw .kernel(error) }
    }

    private func receiveNow() throws(TLSTransferError) -> [UInt8] {
        if let channel { return try channel.receive(from: stream, atMost: 4096) }
        do throws(Errno) { return try stream.receiveNow(atMost: 4096) } catch { throw .kernel(error) }
    }

    private func recover(from error: TLSTransferError, for interest: Readiness) async throws(Failure) {
        switch error {
        case .tls(let failure): throw .tls(failure)
        case .kernel(let errno):
            do throws(SocketStream.Failure) {
                try await stream.recover(from: errno, for: interest, until: stream.deadline)
            } catch {
                throw Failure(error)
            }
        }
    }
}

extension HealthClient.Failure {
    init(_ failure: SocketStream.Failure) {
        switch failure {
        case .kernel(let error): self = .kernel(error)
        case .deadline, .cancelled: self = .deadline
        }
    }
}
