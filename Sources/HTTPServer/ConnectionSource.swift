internal import CLinux
internal import TLS

/// Where a connection came from. All its requests share one.
final class ConnectionSource: Sendable {
    let listener: ListenerKind
    let purpose: Listener.Purpose
    let peer: Peer
    /// Whether the connection uses TLS.
    let isHTTPS: Bool
    /// The name in the client's verified certificate; nil without one.
    let certificateName: String?
    /// Whose connection it is; nil if its client's connections are not counted.
    let owner: ClientConnections.Owner?

    /// How much the connection counts among all connections: its TLS relay counts, too.
    var weight: Int { isHTTPS ? 2 : 1 }

    /// The client's name in logs.
    var clientText: String { owner?.text ?? peer.text }

    init(
        listener: ListenerKind, purpose: Listener.Purpose, peer: Peer, isHTTPS: Bool = false,
        certificateName: String? = nil
    ) {
        self.listener = listener
        self.purpose = purpose
        self.peer = peer
        self.isHTTPS = isHTTPS
        self.certificateName = certificateName
        owner = ClientConnections.Owner(peer: peer, purpose: purpose, certificateName: certificateName)
    }
}

/// A connection that the acceptor passes to a worker, which owns the descriptor from then on.
struct AcceptedConnection: Sendable {
    let descriptor: Int32
    let name: sockaddr_storage
    let nameLength: socklen_t
    let source: ConnectionSource
    /// The client's TLS session after its handshake; nil without TLS, and once a relay has it.
    let session: ServerSession?
    /// The session's charge in the memory budget.
    var charge: MemoryCharge?
    /// Whether there are as many connections as allowed, so that an idle one has to give way.
    var needsRoom = false
    /// The relay's key in `HTTPDaemon.relays`; -1 without one.
    var relayKey: Int32 = -1
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
