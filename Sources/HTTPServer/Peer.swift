public import CheckModel

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
