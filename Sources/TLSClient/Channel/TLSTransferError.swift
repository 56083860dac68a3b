public import CheckModel

/// Why no plaintext came or left.
public enum TLSTransferError: Error, Hashable, Sendable {
    /// The kernel's error; EAGAIN says to wait.
    case kernel(Errno)
    /// An alert of the peer's, or a breach of the protocol.
    case tls(TLSHandshakeFailure)
}
