public import CheckModel
internal import COpenSSL
public import SocketIO

/// One TLS connection over a connected stream socket, which stays the caller's.
///
/// It belongs to the task of its check, on the reactor's thread. OpenSSL sees memory only: what is read and written goes
/// through `socket`, so that an error of the kernel keeps its errno, and a peer cannot keep OpenSSL busy with more than
/// what one receive brought.
public final class TLSChannel {
    /// What the handshake has shown so far; complete once it ended, also where it failed.
    public private(set) var report = TLSReport()

    init() {}

    /// Runs the handshake, until it is done, has failed, or `deadline` has come.
    /// - Parameter token: the socket's place in the reactor, registered for `anything`.
    public func handshake(
        on socket: borrowing Socket, token: SlotToken, reactor: Reactor, until deadline: MonotonicTime
    ) async -> TLSHandshakeEnding {
        .failed(TLSHandshakeFailure(.protocolViolation))
    }

    /// The first bytes of the handshake (ClientHello), for TCP Fast Open; they are not sent again by `handshake` as far as
    /// `sent` says.
    public func firstFlight() -> [UInt8] { [] }

    /// So many bytes of the first flight have left.
    public func noteSent(_ count: Int) {}

    /// Plaintext that has come.
    /// - Returns: empty at the end of the stream.
    /// - Throws: EAGAIN where nothing is there.
    public func receive(from socket: borrowing Socket, atMost capacity: Int) throws(TLSTransferError) -> [UInt8] {
        []
    }

    /// Sends plaintext.
    /// - Returns: how many bytes have left, encrypted; the rest is to be given again.
    /// - Throws: EAGAIN where the socket has no room: the same bytes are to be given again.
    public func send(_ bytes: ArraySlice<UInt8>, on socket: borrowing Socket) throws(TLSTransferError) -> Int {
        0
    }

    /// Says close_notify (RFC 8446, 6.1), without waiting for an answer. Nothing is said behind a failure.
    public func sayGoodbye(on socket: borrowing Socket) {
    }
}

/// How a handshake, or the talk before it, ended.
public enum TLSHandshakeEnding: Hashable, Sendable {
    case completed
    /// The peer has sent the alert of `expect_alert`.
    case expectedAlert
    case failed(TLSHandshakeFailure)
    /// recv(2) or send(2) failed.
    case broken(Errno)
    case deadline
    case cancelled
}

/// Why no plaintext came or left.
public enum TLSTransferError: Error, Hashable, Sendable {
    /// The kernel's error; EAGAIN says to wait.
    case kernel(Errno)
    /// An alert of the peer's, or a breach of the protocol.
    case tls(TLSHandshakeFailure)
}
