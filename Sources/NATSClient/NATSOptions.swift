/// How to reach the brokers, and as whom.
public struct NATSOptions: Sendable {
    public enum Credentials: Sendable {
        /// The path of a file with a JWT and a seed. It is read at each connect.
        case file(String)
        case token(String)
        case user(String, password: String)
    }

    /// URLs such as `nats://host:4222` and `tls://host:4222`, tried in a random order; never empty.
    public var servers: [String]
    /// The client's name, which the broker shows in its list of connections.
    public var name: String
    public var credentials: Credentials?
    /// The paths of a client certificate with its chain, and of its key, PEM.
    public var certificate: (path: String, keyPath: String)?
    /// The certificates, PEM, that may sign the broker's; nil for the system's.
    public var authorities: String?

    public init(servers: [String], name: String) {
        self.servers = servers
        self.name = name
    }

    /// Whether the connection must be encrypted, even if the broker would accept plain text.
    var isSecure: Bool {
        certificate != nil || authorities != nil || servers.contains { $0.hasPrefix("tls://") }
    }
}

/// What to receive.
public struct NATSSubscription: Sendable {
    /// A subject, perhaps with the wildcards `*` and `>`.
    public var subject: String
    /// The queue group: each message goes to one member of the group. nil: to every subscriber.
    public var group: String?
    /// The header fields to copy from each message.
    public var headers: [String]
    /// Whether `NATSSession.stopAnswering` ends it.
    public var endsWithDrain: Bool
    /// Called on a thread of the library, one message after another. It must not block.
    public var handler: @Sendable (NATSMessage) -> Void

    public init(
        _ subject: String, group: String? = nil, headers: [String] = [], endsWithDrain: Bool = false,
        handler: @escaping @Sendable (NATSMessage) -> Void
    ) {
        self.subject = subject
        self.group = group
        self.headers = headers
        self.endsWithDrain = endsWithDrain
        self.handler = handler
    }
}

/// One message.
public struct NATSMessage: Sendable {
    public var subject: String
    /// Where the answer is expected; nil if none is.
    public var replyTo: String?
    public var headers: [(name: String, value: String)]
    public var payload: [UInt8]
    /// Whether the broker says with it that no one received the request: status 503 without a payload.
    public var isNoResponders = false
    /// The bytes of a payload that was too long to be copied; 0 if it was copied.
    public var omittedBytes = 0

    /// The longest payload that is copied, in bytes.
    public static let longestPayload = 1 << 20

    public init(
        _ subject: String, replyTo: String? = nil, headers: [(name: String, value: String)] = [], payload: [UInt8] = []
    ) {
        self.subject = subject
        self.replyTo = replyTo
        self.headers = headers
        self.payload = payload
    }

    /// The first value of a header field that the subscription copies; the name is compared byte by byte.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// What happens to the connection.
public enum NATSEvent: Sendable, Equatable {
    case connected(server: String)
    /// The connection ended; the session connects again by itself.
    case disconnected(reason: String)
    /// An attempt to connect failed; the session tries again.
    case failed(reason: String)
    /// The broker refused something, such as a subject, or the connection has another problem.
    case refused(reason: String)
    /// Messages arrived faster than they were handled, and some were dropped.
    case slowConsumer(subject: String)
}
