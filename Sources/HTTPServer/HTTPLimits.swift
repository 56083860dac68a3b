/// How much the service gives to clients. Times are in milliseconds.
public struct HTTPLimits: Sendable {
    /// Open connections over all workers; one more is answered by 503. Budget the descriptors for it.
    public var connections = 16_384
    /// TLS handshakes under way; beyond that, whoever keeps one waiting longest is let go for a new client.
    public var handshakes = 1024
    /// From a connection's start to the end of its TLS handshake.
    public var handshakeTimeoutMilliseconds = 10_000
    /// From a connection's first byte of time, or a later request's first line, to the end of its head.
    public var headTimeoutMilliseconds = 10_000
    /// From the end of the head to the end of the body.
    public var bodyTimeoutMilliseconds = 30_000
    /// Between an answer and the next request on the same connection.
    public var idleTimeoutMilliseconds = 75_000
    /// To send an answer, and one second more for every 64 KiB of it.
    public var sendTimeoutMilliseconds = 60_000
    /// What one connection usually has: the head, the table of its headers, and the head of the answer have to fit in.
    public var connectionMemoryBytes = 4096
    /// After an early answer: how many connections of one worker are read at once, so that the answer stays readable.
    public var lingering = 256
    /// After an early answer: how much of the body is read and thrown away, so that the answer stays readable.
    public var discardedBytes = 4 << 20
    /// What all clients together may make the service hold.
    public var memory = MemoryBudget(limitBytes: 256 << 20)
    /// After an early answer: how long it is read.
    public var discardMilliseconds = 2000
    /// At the end: how long a cancelled handler may take to answer, before a 503 is sent in its place.
    public var cancellationMilliseconds = 5000

    /// What a client may send until its handshake is done: chains of certificates seldom reach 16 KiB.
    static let handshakeBytes = 64 << 10

    /// What a connection has for a long head. Pages that are not needed are not held.
    static let largeMemoryBytes = 192 << 10

    /// What of `connectionMemoryBytes` a head may need. Half is the library's read buffer: as soon as it has to grow, the
    /// answer's head may find no room.
    static let usualHeadBytes = 1600

    /// What the library needs for a header field or an argument of the query.
    static let partBytes = 80

    /// What a streamed body may hold, in bytes, while its client reads slower than it is written.
    static let streamBufferBytes = 64 << 10

    /// What a handshake under way is charged: OpenSSL's state, its buffers and ours, measured.
    static let handshakeCharge = 72 << 10

    /// What a TLS connection is charged after its handshake, measured.
    static let sessionCharge = 24 << 10

    /// Connections beyond `connections` that health listeners alone may have.
    static let healthConnections = 16

    /// What health listeners may have: a flood of clients is no reason for a supervisor to believe the service dead, and
    /// whoever floods a health listener, which asks nobody who he is, takes nothing from clients.
    var healthShare: Int { connections / 8 + Self.healthConnections }

    /// What is left for the others, where there are health listeners.
    var serviceShare: Int { max(connections - connections / 8, 1) }

    public init() {}

    /// At the end: how long who has just connected may take to begin a request; whoever is idle for longer is closed.
    static let firstRequestMilliseconds = 200

    /// At the end, where there are clients: how long a handshake of TCP that has begun may take.
    static let handshakeMilliseconds = 20

    var shortestMilliseconds: Int {
        min(
            headTimeoutMilliseconds, bodyTimeoutMilliseconds, idleTimeoutMilliseconds, sendTimeoutMilliseconds,
            discardMilliseconds)
    }
}
