internal import Synchronization

/// A response. The server adds `Content-Length` (or `Transfer-Encoding`), `Date` and `Connection`.
public struct Response: Sendable {
    /// 200…599.
    public var status: Int
    /// Names and values without control characters. Keep constant headers in a `static let`, so that copying is free.
    public var headers: [(name: String, value: String)]
    public var body: Body

    /// The bytes after the head. A response to HEAD has the same body as to GET; it is not sent.
    public enum Body: Sendable {
        /// Copied once, into the library's memory.
        case bytes([UInt8])
        /// Never copied: for documents that are served repeatedly.
        case shared(SharedBody)
        /// Written piece by piece while it is sent.
        case stream(StreamProducer)

        /// Bytes; nil for a stream, whose length is not known when its head is sent.
        public var count: Int? {
            switch self {
            case .bytes(let bytes): bytes.count
            case .shared(let body): body.count
            case .stream: nil
            }
        }
    }

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = .bytes(body)
    }

    public init(status: Int, headers: [(name: String, value: String)] = [], sharing body: SharedBody) {
        self.status = status
        self.headers = headers
        self.body = .shared(body)
    }

    /// A response whose body is written while it is sent; `StreamProducer` says how.
    public init(
        status: Int, headers: [(name: String, value: String)] = [], stream: @escaping StreamProducer
    ) {
        self.status = status
        self.headers = headers
        body = .stream(stream)
    }
}

/// Bytes at a fixed address, which any number of responses send without copying them.
public final class SharedBody: Sendable {
    // SAFETY: the memory is filled in the initializer, only read after that, and freed in deinit.
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer
    private let onRelease: (@Sendable () -> Void)?
    private let revoked = Atomic<Bool>(false)

    public var count: Int { memory.count }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    /// - Parameter onRelease: called on any thread when the last reference is dropped.
    public init(_ bytes: [UInt8], onRelease: (@Sendable () -> Void)? = nil) {
        self.onRelease = onRelease
        memory = .allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
    }

    /// Aborts the responses that still send it, within a second, to free its memory.
    public func revoke() {
        revoked.store(true, ordering: .relaxed)
    }

    public var isRevoked: Bool { revoked.load(ordering: .relaxed) }

    deinit {
        memory.deallocate()
        onRelease?()
    }
}

/// A function that writes the body of a streamed response.
///
/// It runs as a task on the worker's thread after the head has been sent; it must not block. If it returns, the body is
/// complete. If it throws, the response is aborted: what was written is sent, without the last chunk, and the error is
/// logged. The task is canceled, and the response aborted, when the client leaves or reads too slowly, and at the end
/// of a graceful shutdown. A client that shuts down its writing half counts as having left.
///
/// An HTTP/1.0 client sees a reset when its response is aborted. On a UNIX-domain socket it cannot tell an aborted
/// response from a complete one. A HEAD request runs no producer, and closes its connection.
public typealias StreamProducer = @Sendable (ResponseWriter) async throws -> Void

/// Sends the pieces of one streamed body. Any task may write, on any thread; pieces are never interleaved.
public struct ResponseWriter: Sendable {
    let worker: HTTPWorker
    let place: Int
    let number: UInt64

    /// Sends bytes, at once if the client keeps up. Otherwise up to 64 KiB are buffered, and the call waits until the
    /// rest fits.
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
