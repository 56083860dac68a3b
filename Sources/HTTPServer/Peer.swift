public import NetworkTypes

/// What kind of listener a request came through.
public enum ListenerKind: Hashable, Sendable {
    case tcp
    /// A UNIX-domain socket: who may connect is a question of the file's permissions.
    case unix
}

/// Who sends a request.
public enum Peer: Hashable, Sendable {
    case ip(IPEndpoint)
    /// A process on this machine, through a UNIX-domain socket.
    case unix

    /// The address without the port, as logs and limits by client have it; `unix` for a local socket.
    public var text: String {
        switch self {
        case .ip(let endpoint): endpoint.address.text
        case .unix: "unix"
        }
    }
}
