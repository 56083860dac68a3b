/// How much the service gives to clients. Times are in milliseconds.
package struct HTTPLimits: Sendable {
    /// Open connections over all workers; one more is answered by 503. Budget the descriptors for it.
    package var connections = 16_384
    /// From a connection's first byte of time, or a later request's first line, to the end of its head.
    package var headTimeoutMilliseconds = 10_000
    /// From the end of the head to the end of the body.
    package var bodyTimeoutMilliseconds = 30_000
    /// Between an answer and the next request on the same connection.
    package var idleTimeoutMilliseconds = 75_000
    /// To send an answer, and one second more for every 64 KiB of it.
    package var sendTimeoutMilliseconds = 60_000
    /// What one connection may use: the head, the table of its headers, and the head of the answer have to fit in.
    package var connectionMemoryBytes = 4096
    /// After an early answer: how much of the body is read and thrown away, so that the answer stays readable.
    package var discardedBytes = 4 << 20
    /// What long bodies (of more than 64 KiB) may hold together on one worker; one more is answered by 503.
    package var longBodiesBytes = 64 << 20
    /// After an early answer: how long it is read.
    package var discardMilliseconds = 2000
    /// At the end: how long a cancelled handler may take to answer, before a 503 is sent in its place.
    package var cancellationMilliseconds = 5000

    package init() {}

    var shortestMilliseconds: Int {
        min(
            headTimeoutMilliseconds, bodyTimeoutMilliseconds, idleTimeoutMilliseconds, sendTimeoutMilliseconds,
            discardMilliseconds)
    }
}
