/// A function that writes the body of a streamed response.
///
/// It runs as a task on the worker's thread after the head has been sent; it must not block. If it returns, the body is
/// complete. If it throws, the response is aborted: what was written is sent, without the last chunk, and the error is
/// logged. The task is canceled, and the response aborted, when the client leaves or reads too slowly, and at the end of
/// a graceful shutdown. A client that shuts down its writing half counts as having left.
///
/// An HTTP/1.0 client sees a reset when its response is aborted; on a UNIX-domain socket it cannot tell. A HEAD request
/// runs no producer, and closes its connection.
public typealias StreamProducer = @Sendable (ResponseWriter) async throws -> Void

/// Sends the pieces of one streamed body. Any task may write, on any thread; pieces are never interleaved.
public struct ResponseWriter: Sendable {
    let worker: HTTPWorker
    let place: Int
    let number: UInt64

    /// Sends bytes, at once if the client keeps up. Otherwise up to 64 KiB are buffered, and the call waits until the rest
    /// has found room.
    /// - Throws: if the response has ended, or the calling task is canceled before any of the bytes were accepted.
    public func write(_ bytes: [UInt8]) async throws(ResponseStreamError) {
        try await worker.write(bytes, place: place, number: number)
    }
}

/// Why a streamed body accepts no more bytes.
public enum ResponseStreamError: Error, Sendable {
    /// The client has closed or reset the connection.
    case clientLeft
    /// The client did not read the body within `HTTPLimits.sendTimeoutMilliseconds`.
    case clientTooSlow
    /// The service is shutting down, and the time limit for its requests has passed.
    case serviceStopped
    /// The calling task was canceled.
    case cancelled
    /// The response has ended.
    case ended
}
