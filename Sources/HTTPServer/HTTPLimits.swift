internal import Synchronization

/// The limits for clients. Times are in milliseconds.
public struct HTTPLimits: Sendable {
    /// Open connections of all workers; further ones get a 503. Each needs a descriptor, and two more with TLS.
    public var connections = 16_384
    /// Counts the open connections.
    public var openConnections = ConnectionCount()
    /// Open connections of one client to service listeners; further ones get a 429. 0 means no limit. `ClientConnections` says
    /// what a client is.
    public var connectionsPerClient = 0
    /// TLS handshakes in progress; beyond that, `HandshakeTable` dismisses a client for each new one.
    public var handshakes = 1024
    /// From a connection's start to the end of its TLS handshake.
    public var handshakeTimeoutMilliseconds = 10_000
    /// From accept(2), or the first byte of a later request, to the end of the request head.
    public var headTimeoutMilliseconds = 10_000
    /// From the end of the head to the end of the body.
    public var bodyTimeoutMilliseconds = 30_000
    /// Between a response and the next request on the same connection.
    public var idleTimeoutMilliseconds = 75_000
    /// To send a response, plus one second for every 64 KiB of it. For a stream, it applies while the client lags
    /// behind.
    public var sendTimeoutMilliseconds = 60_000
    /// The library's memory for a connection. It holds the request head, the table of its headers, and the response head.
    public var connectionMemoryBytes = 4096
    /// How many connections an instance of the library gets before another one is started. An instance with events costs a
    /// system call in each turn, whatever the number of its connections; `LibraryInstance` describes why not all are in one.
    public var libraryConnections = 256
    /// After an early response: how many connections of one worker are drained at once, so that it stays readable.
    public var lingering = 256
    /// After an early response: how many bytes of the body are read and discarded.
    public var discardedBytes = 4 << 20
    /// The memory that all clients together may use.
    public var memory = MemoryBudget(limitBytes: 256 << 20)
    /// The kernel's buffers of a TCP connection, in bytes for each direction; nil for the kernel's own choice, which is
    /// several MiB for a client that does not read.
    public var socketBufferBytes: Int?
    /// After an early response: how long the body is read and discarded.
    public var discardMilliseconds = 2000
    /// During shutdown: how long a canceled handler may take to respond, before a 503 is sent in its place.
    public var cancellationMilliseconds = 1500

    /// The bytes that a client may send during its handshake. Certificate chains rarely exceed 16 KiB.
    static let handshakeBytes = 64 << 10

    /// The library's memory for a connection with a long head. Pages that are not used are not resident.
    static let largeMemoryBytes = 192 << 10

    /// How much of `connectionMemoryBytes` a request head may need. Half is the library's read buffer; if it has to grow,
    /// there may be no room for the response head.
    static let usualHeadBytes = 1600

    /// The library's memory for one header field or query parameter.
    static let partBytes = 80

    /// The buffer of a streamed body whose client lags behind.
    static let streamBufferBytes = 64 << 10

    /// The charge of a handshake in progress: OpenSSL's state, its buffers and ours, as measured.
    static let handshakeCharge = 72 << 10

    /// The charge of a TLS connection after its handshake, as measured.
    static let sessionCharge = 24 << 10

    /// Connections beyond `connections` that are reserved for health listeners.
    static let healthConnections = 16

    /// The connections of health listeners. A flood of clients does not make liveness checks fail. A flood on a health
    /// listener, which needs no authentication, takes no connections from clients.
    var healthShare: Int { connections / 8 + Self.healthConnections }

    /// The connections of service listeners.
    func serviceConnections(besidesHealthListener hasHealthListener: Bool) -> Int {
        hasHealthListener ? max(connections - connections / 8, 1) : connections
    }

    public init() {}

    /// How long a new TLS connection does not give way to others: its first request may be on its way.
    static let silentMilliseconds = 50

    /// How long an incomplete request head does not give way to other clients.
    static let incompleteHeadMilliseconds = 1000

    /// How long an idle connection does not give way when the process has no descriptor left: its client may be about to
    /// send the next request.
    static let recentMilliseconds = 1000

    /// During shutdown: how long a new connection may take to begin its first request before it is closed.
    static let firstRequestMilliseconds = 200

    /// During shutdown, if there are clients: how long a TCP handshake that has begun may take.
    static let handshakeMilliseconds = 20

    var shortestMilliseconds: Int {
        min(
            headTimeoutMilliseconds, bodyTimeoutMilliseconds, idleTimeoutMilliseconds, sendTimeoutMilliseconds,
            discardMilliseconds)
    }
}

/// The open connections of clients, over all workers.
public final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)

    /// How many may be open.
    public let limit: Int

    /// - Parameter limit: 0 if it is not known.
    public init(limit: Int = 0) {
        self.limit = limit
    }

    public var value: Int { count.load(ordering: .relaxed) }

    func add(_ change: Int) {
        count.add(change, ordering: .relaxed)
    }
}
