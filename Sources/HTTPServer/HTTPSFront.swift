public import SocketIO
public import TLS

/// How internet listeners of the service speak TLS.
public struct HTTPSFront: Sendable {
    let context: ServerContext
    let reactor: Reactor

    /// - Parameter reactor: of a thread that does nothing else: handshakes wait for each other there, and established
    ///   connections, checks among them, for none.
    public init(context: ServerContext, reactor: Reactor) {
        self.context = context
        self.reactor = reactor
    }
}
