public import ErrorCatalogue
public import SocketIO

/// TLS as a dialog uses it: a step starts it, and all later bytes go through it.
///
/// The module of the dialogs does not know how TLS works; a caller that runs a `starttls` step provides it.
public protocol DialogTLS: AnyObject {
    /// Whether the handshake is complete: bytes go through TLS.
    var isEstablished: Bool { get }

    /// Runs the handshake.
    func start(on socket: SocketStream) async -> TLSHandshakeOutcome

    /// Receives plaintext.
    /// - Returns: at most `capacity` bytes; empty at EOF.
    /// - Throws: EAGAIN if nothing is there.
    func receive(from socket: SocketStream, atMost capacity: Int) throws(TLSTransferError) -> [UInt8]

    /// Sends plaintext.
    /// - Returns: how many bytes were sent.
    /// - Throws: EAGAIN if the socket has no room: call it again with the same bytes.
    func send(_ bytes: ArraySlice<UInt8>, on socket: SocketStream) throws(TLSTransferError) -> Int
}
