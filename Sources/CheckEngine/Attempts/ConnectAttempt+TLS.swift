internal import CheckModel
internal import SocketIO
internal import TLSClient

// The handshake behind a connect that went well, and in front of the dialog.
extension ConnectAttempt {
    /// Runs the handshake, and turns its ending into the attempt's.
    /// - Returns: whether the attempt goes on behind it.
    func secure(
        _ security: AttemptTLS, on socket: borrowing Socket, token: SlotToken, into record: AttemptRecord
    ) async -> Bool {
        let ending = await security.begin(on: socket, token: token)
        note(ending, of: socket, into: record)
        return ending == .completed
    }

    @inline(never)
    func note(_ ending: TLSHandshakeEnding, of socket: borrowing Socket, into record: AttemptRecord) {
        switch ending {
        case .completed, .expectedAlert: break
        case .failed(let failure): enter(Classifier.report(for: failure), in: .tls, into: record)
        case .broken(let error): noteFailure(error, of: socket, in: .tls, into: record)
        case .deadline: noteDeadline(of: socket, in: .tls, into: record)
        case .cancelled: noteCancelled(into: record, in: .tls)
        }
    }
}
