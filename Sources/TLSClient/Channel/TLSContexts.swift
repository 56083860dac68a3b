public import CheckModel
internal import COpenSSL
public import SocketIO

/// One worker's OpenSSL contexts (SSL_CTX): made once for each way in which requests ask for TLS, and used again.
///
/// Everything of it happens on the reactor's thread.
public final class TLSContexts: Sendable {
    public init(reactor: Reactor) {
    }

    /// A new connection that has not begun its handshake.
    /// - Parameter host: the target's; nil for a UNIX-domain socket.
    /// - Throws: TLS_PROTOCOL and the like where OpenSSL takes no such options.
    public func channel(
        for options: TLSOptions, host: Host?, material: TLSMaterial
    ) throws(TLSHandshakeFailure) -> TLSChannel {
        throw TLSHandshakeFailure(.protocolViolation)
    }

    /// Why OpenSSL would not take `tls.ciphers`; nil where it does.
    public static func flaw(inCiphers ciphers: String) -> String? {
        nil
    }
}
