internal import Synchronization

/// An answer. `Content-Length`, `Date` and `Connection` are added when it is sent; every other header is the handler's.
public struct Response: Sendable {
    /// 200 … 599.
    public var status: Int
    /// Names and values without control bytes. Keep them in a constant where they do not change: copying is free then.
    public var headers: [(name: String, value: String)]
    public var body: Body

    /// What follows the head. An answer to HEAD carries the same body here; it is not sent.
    public enum Body: Sendable {
        /// Copied once, into the library's own memory.
        case bytes([UInt8])
        /// Never copied: for what is served again and again.
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

/// Bytes at a fixed place in memory, which any number of answers send without copying them.
public final class SharedBody: Sendable {
    // SAFETY: the memory is filled in the initialiser, only read after that, and freed with the last reference.
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer
    private let onRelease: (@Sendable () -> Void)?
    private let revoked = Atomic<Bool>(false)

    public var count: Int { memory.count }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    /// - Parameter onRelease: called when the last answer that sends it has ended, on whatever thread that is.
    public init(_ bytes: [UInt8], onRelease: (@Sendable () -> Void)? = nil) {
        self.onRelease = onRelease
        memory = .allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
    }

    /// Breaks off the answers that send it still, within a second: the memory is wanted elsewhere.
    public func revoke() {
        revoked.store(true, ordering: .relaxed)
    }

    public var isRevoked: Bool { revoked.load(ordering: .relaxed) }

    deinit {
        memory.deallocate()
        onRelease?()
    }
}
