public import SocketIO
public import TLSServer

/// The TLS context of the TCP listeners, except health listeners, and the thread for their handshakes.
public struct HTTPSFront: Sendable {
    let context: ServerContext
    let reactor: Reactor

    /// - Parameter reactor: of a thread that does nothing else, so that handshakes never delay established connections.
    public init(context: ServerContext, reactor: Reactor) {
        self.context = context
        self.reactor = reactor
    }
}
