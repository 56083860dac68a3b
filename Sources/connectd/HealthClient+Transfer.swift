import CLinux
import CheckModel
import SocketIO

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

    /// Sends all of the request.
    func send(_ request: [UInt8], on socket: borrowing Socket, _ token: SlotToken) async throws(Failure) {
        var rest = request[...]
        while !rest.isEmpty {
            do throws(Errno) {
                rest = rest.dropFirst(try socket.send(rest))
            } catch {
                guard error.rawValue == EAGAIN else { throw .kernel(error) }
                try await wait(for: .writable, token)
            }
        }
    }

    /// Reads until the response is complete, the peer is done, or enough has come.
    func receive(on socket: borrowing Socket, _ token: SlotToken) async throws(Failure) -> HealthResponse {
        var bytes: [UInt8] = []
        while bytes.count < Self.mostBytes {
            do throws(Errno) {
                let more = try socket.receive(atMost: 4096)
                if more.isEmpty { break }
                bytes += more
                if let response = HealthResponse(parsing: bytes), response.isComplete { return response }
            } catch {
                guard error.rawValue == EAGAIN else { throw .kernel(error) }
                // A peer that does not close leaves a head without Content-Length: it is an answer all the same.
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
