internal import CLinux
internal import TLS

/// Where a connection came from; one for all of its requests.
final class ConnectionSource: Sendable {
    let listener: ListenerKind
    let purpose: Listener.Purpose
    let peer: Peer
    /// Whether the client speaks TLS with us.
    let isHTTPS: Bool
    /// Who the client is by its certificate, where it had to show one.
    let certificateName: String?

    init(
        listener: ListenerKind, purpose: Listener.Purpose, peer: Peer, isHTTPS: Bool = false,
        certificateName: String? = nil
    ) {
        self.listener = listener
        self.purpose = purpose
        self.peer = peer
        self.isHTTPS = isHTTPS
        self.certificateName = certificateName
    }
}

/// A connection on its way from the acceptor to a worker, which closes the descriptor.
struct AcceptedConnection: Sendable {
    let descriptor: Int32
    let name: sockaddr_storage
    let nameLength: socklen_t
    let source: ConnectionSource
    /// The client's TLS, its handshake done; nil where it speaks none, or somebody has seen to it.
    let session: ServerSession?
    /// What the session is charged in the memory budget.
    var charge: MemoryCharge?
}

/// How a request's body is delimited (RFC 9112, section 6).
enum BodyFraming: Sendable {
    case none
    case length(UInt64)
    case chunked

    var hasBody: Bool {
        switch self {
        case .none: false
        case .length(let count): count > 0
        case .chunked: true
        }
    }

    var contentLength: UInt64? {
        switch self {
        case .none: 0
        case .length(let count): count
        case .chunked: nil
        }
    }
}
