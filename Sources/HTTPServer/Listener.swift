public import NetworkTypes

/// An address to listen on, and what is served there.
public struct Listener: Sendable {
    /// What a listener serves. The handler enforces it.
    public enum Purpose: Hashable, Sendable {
        case service
        /// Only liveness, readiness and metrics, without authentication.
        case health
    }

    public let address: ListenAddress
    public let purpose: Purpose
    /// A listening descriptor, whose ownership passes to the service; nil to make one.
    public let inherited: Int32?

    public init(_ address: ListenAddress, purpose: Purpose = .service, inherited: Int32? = nil) {
        self.address = address
        self.purpose = purpose
        self.inherited = inherited
    }
}

/// The kind of listener that a request came through.
public enum ListenerKind: Hashable, Sendable {
    case tcp
    /// A UNIX-domain socket. The file's permissions decide who may connect.
    case unix
}

/// The client of a request.
public enum Peer: Hashable, Sendable {
    case ip(IPEndpoint)
    /// A process on this machine, through a UNIX-domain socket.
    case unix

    /// The address without the port, for logs and limits by client; `unix` for a UNIX-domain socket.
    public var text: String {
        switch self {
        case .ip(let endpoint): endpoint.address.text
        case .unix: "unix"
        }
    }
}
