internal import CheckModel
internal import Configuration
internal import HTTPServer

/// A client, as the limits per client distinguish clients: by token, by certificate, or else by address.
enum Client: Hashable, Sendable {
    /// The name of its token.
    case token(String)
    /// The name in its certificate.
    case certificate(String)
    /// An IPv4 address, or the /64 of an IPv6 address.
    case network(ClientNetwork)
    /// The client of a connection without a request, by its name in logs.
    case connection(String)
    /// All clients of UNIX-domain sockets without a token. The permissions of the files decide who they are.
    case local
    /// All askers in the fleet together: each chooses its own name.
    case fleet
    /// Clients for which the table has no room: all of them together.
    case others

    /// - Parameter tokens: a request with an invalid token counts for its address.
    init(of head: RequestHead, tokens: TokenRule) {
        let token = tokens.isOpen ? nil : tokens.token(authorization: head.header("authorization"))
        if let token {
            self = .token(token.name)
        } else if let name = head.certificateName {
            self = .certificate(name)
        } else {
            self = head.clientNetwork.map(Client.network) ?? .local
        }
    }

    /// Whether the configuration or a configured authority has made the client's name.
    var isAuthenticated: Bool {
        switch self {
        case .token, .certificate: true
        case .network, .connection, .local, .fleet, .others: false
        }
    }

    /// The client in logs.
    var text: String {
        switch self {
        case .token(let name): name
        case .certificate(let name): RequestOrigin.certificatePrefix + name
        case .network(let network): network.text
        case .connection(let name): name
        case .local: "unix"
        case .fleet: "fleet"
        case .others: "(others)"
        }
    }
}
