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
