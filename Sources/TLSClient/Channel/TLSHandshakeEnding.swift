public import CheckModel

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
