internal import Synchronization

/// The open connections of each client. It keeps one client from taking all of them.
///
/// A client is the name of its certificate, or else its network. Tokens come with requests, so they do not matter here.
/// Clients of UNIX-domain sockets are not counted: the permissions of the file decide who they are.
final class ClientConnections: Sendable {
    /// Whose connection it is, and at which kind of listener.
    struct Owner: Hashable, Sendable {
        fileprivate enum Client: Hashable, Sendable {
            case certificate(String)
            case network(ClientNetwork)
        }

        fileprivate let client: Client
        fileprivate let purpose: Listener.Purpose

        /// - Returns: nil for a client that is not counted.
        init?(peer: Peer, purpose: Listener.Purpose, certificateName: String?) {
            if let certificateName {
                client = .certificate(certificateName)
            } else if let network = ClientNetwork(of: peer) {
                client = .network(network)
            } else {
                return nil
            }
            self.purpose = purpose
        }

        /// The client's name in logs.
        var text: String {
            switch client {
            case .certificate(let name): "cert:" + name
            case .network(let network): network.text
            }
        }
    }

    /// Whether a client may open a further connection.
    enum Verdict {
        case mayConnect
        /// The client has almost all connections: an idle connection must give way to this one.
        case mustReplace
        /// The client has as many as the configuration allows.
        case mustNotConnect
    }

    /// How many service connections one client may have; 0 means no limit.
    private let limit: Int
    private let serviceShare: Int
    private let healthShare: Int
    private let counts = Mutex<[Owner: Int]>([:])

    /// - Parameters:
    ///   - limit: the configured limit of one client; 0 means none.
    ///   - serviceLimit: the connections of all clients; the next parameter is the same for health listeners.
    init(limit: Int, serviceLimit: Int, healthLimit: Int) {
        self.limit = limit
        serviceShare = Self.share(of: serviceLimit)
        healthShare = Self.share(of: healthLimit)
    }

    /// What one client may have of all connections. The rest is for the others.
    private static func share(of total: Int) -> Int {
        total < 256 ? total : total - total / 16
    }

    func verdict(on source: ConnectionSource) -> Verdict {
        guard let owner = source.owner else { return .mayConnect }
        let count = counts.withLock { $0[owner] ?? 0 }
        if limit > 0, owner.purpose == .service, count >= limit { return .mustNotConnect }
        let share = owner.purpose == .service ? serviceShare : healthShare
        return count * source.weight < share ? .mayConnect : .mustReplace
    }

    func add(_ owner: Owner?) {
        guard let owner else { return }
        counts.withLock { $0[owner, default: 0] += 1 }
    }

    func remove(_ owner: Owner?) {
        guard let owner else { return }
        counts.withLock { counts in
            let left = (counts[owner] ?? 1) - 1
            counts[owner] = left == 0 ? nil : left
        }
    }
}
