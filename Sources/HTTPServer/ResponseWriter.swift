/// Writes the body of a streamed response.
///
/// It runs as a task on the worker's thread, after the head has been sent: it must not block. The task is cancelled when
/// the client leaves or reads too slowly, and when the service has waited for it as long as a graceful shutdown may take.
/// The client gets all that was written, and can tell whether the body is complete: it is not where the producer throws
/// or is cancelled. (A client of HTTP/1.0 on a UNIX-domain socket cannot tell.) A client that shuts down its writing half
/// counts as one that has left. For HEAD no producer runs.
public typealias StreamProducer = @Sendable (ResponseWriter) async throws -> Void

/// Sends the pieces of one streamed body. Any task may write, on any thread; each piece stays in one.
public struct ResponseWriter: Sendable {
    let worker: HTTPWorker
    let place: Int
    let number: UInt64

    /// Sends bytes, at once where the client keeps up. Otherwise up to 64 KiB are held for it, and the caller waits until
    /// the rest has found room.
    /// - Throws: where the response has ended, or the calling task is cancelled before any of the bytes was taken.
    public func write(_ bytes: [UInt8]) async throws(ResponseStreamError) {
        try await worker.write(bytes, place: place, number: number)
    }
}

/// Why a streamed body takes no more bytes.
public enum ResponseStreamError: Error, Sendable {
    /// The client has closed or reset the connection.
    case clientLeft
    /// The client did not read what was sent to it before the deadline for sending.
    case clientTooSlow
    /// The service stops, and has waited for the stream as long as it may.
    case serviceStopped
    /// The task that writes is cancelled.
    case cancelled
    /// The response is over: the producer has returned.
    case ended
}
