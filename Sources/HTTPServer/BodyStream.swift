internal import CLinux
internal import CMicrohttpd
internal import NetworkTypes
internal import SocketIO

/// Sends the body of one streamed response. Used on its worker's thread only.
///
/// The library sends the head and the last chunk. Between them, it has the connection suspended, and this type writes
/// directly to the socket. While the client keeps up, a piece is on the wire when `write` returns. Through the library,
/// each piece would need two runs, which visit all suspended connections. It would also be split into less than 4 KiB.
final class BodyStream {
    /// Whether the client received the whole body.
    enum Completion {
        case complete, truncated
    }

    enum Phase {
        /// The library sends the head. The producer has not started.
        case awaitingHead
        case producing
        /// The producer has returned. The buffer is still being sent.
        case flushing(Completion)
        /// The library ends the response when it calls `libraryAsks` next.
        case ended(Completion)
    }

    private struct PendingWrite {
        let id: UInt64
        var bytes: ArraySlice<UInt8>
        var isBegun = false
        let continuation: CheckedContinuation<ResponseStreamError?, Never>
    }

    /// Whether the response has a body. Otherwise the producer never starts.
    let hasBody: Bool
    private let producer: StreamProducer
    // Both outlive the request of this response.
    private unowned let connection: Connection
    private unowned let daemon: HTTPDaemon

    private(set) var phase: Phase = .awaitingHead
    /// The error that writes throw; nil while they are accepted.
    private(set) var refusal: ResponseStreamError?
    private var buffer: StreamBuffer
    /// Writes that wait for space, oldest first.
    private var pending: [PendingWrite] = []
    private var lastWrite: UInt64 = 0
    /// Whether the library has the connection suspended.
    private var isSuspended = false
    /// Whether sending is paused until the socket is reported writable.
    private var isBlocked = false
    /// How many bytes may be sent before other connections get their turn.
    private var credit = fullCredit
    /// How far the client lags behind; nil while it keeps up.
    private var backlog: Backlog?

    private static let pieceBytes = 32 << 10
    private static let fullCredit = 256 << 10
    /// The credit for a write, in addition to its bytes.
    private static let writeCredit = 4096

    init(_ producer: @escaping StreamProducer, status: Int, on connection: Connection, of daemon: HTTPDaemon) {
        self.producer = producer
        hasBody = connection.head?.method != .head && status != 204 && status != 304
        self.connection = connection
        self.daemon = daemon
        buffer = StreamBuffer(isChunked: !connection.isHTTP10)
    }

    // MARK: The library

    /// The library's MHD_ContentReaderCallback. The first call comes after the head has been sent.
    /// - Returns: 0 after suspending the connection, or one of the library's two end codes.
    func libraryAsks() -> Int {
        if case .awaitingHead = phase {
            if connection.peerHasLeft || connection.peerHasFinished { refusal = refusal ?? .clientLeft }
            if refusal == nil { start() } else { phase = .ended(.truncated) }
        }
        switch phase {
        case .awaitingHead, .producing, .flushing:
            suspend()
            return 0
        case .ended(.complete): return connectd_mhd_end_of_stream
        case .ended(.truncated): return connectd_mhd_end_with_error
        }
    }

    private func start() {
        phase = .producing
        connection.deadline = .max
        let (worker, place, number, producer) = (daemon.worker, connection.index, connection.request, producer)
        connection.task = Task(executorPreference: worker.thread) {
            await worker.produce(producer, place: place, number: number)
        }
    }

    private func suspend() {
        guard let handle = connection.handle else { return }
        isSuspended = true
        MHD_suspend_connection(handle)
    }

    /// Makes the library end the response.
    private func end(_ completion: Completion) {
        phase = .ended(completion)
        connection.deadline = daemon.deadline(daemon.limits.sendTimeoutMilliseconds)
        if completion == .truncated, !buffer.isChunked { daemon.resetClient(of: connection) }
        guard isSuspended, let handle = connection.handle else { return }
        isSuspended = false
        MHD_resume_connection(handle)
        daemon.runSoon(for: connection)
    }

    // MARK: Writing

    /// Sends bytes, or buffers them, as far as there is room.
    /// - Returns: the bytes for which there is no room.
    func write(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        pending.isEmpty ? take(bytes) : bytes
    }

    /// A new number for a write that has to wait.
    func nextWrite() -> UInt64 {
        lastWrite += 1
        return lastWrite
    }

    /// Queues a write. The continuation is resumed with nil when all its bytes are sent or buffered, or with the error.
    func wait(
        with rest: ArraySlice<UInt8>, id: UInt64, isBegun: Bool,
        _ continuation: CheckedContinuation<ResponseStreamError?, Never>
    ) {
        pending.append(PendingWrite(id: id, bytes: rest, isBegun: isBegun, continuation: continuation))
    }

    /// Removes a queued write whose task was canceled. A write of which a part was sent continues: otherwise the next one
    /// would follow an incomplete piece.
    func cancelWrite(_ id: UInt64) {
        guard let index = pending.firstIndex(where: { $0.id == id && !$0.isBegun }) else { return }
        pending.remove(at: index).continuation.resume(returning: .cancelled)
    }

    private func take(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes
        while !rest.isEmpty, refusal == nil {
            let piece: ArraySlice<UInt8>
            if buffer.isEmpty, !isBlocked {
                piece = rest.prefix(Self.pieceBytes)
                send(piece)
            } else {
                if buffer.isEmpty { hold(0) }
                piece = rest.prefix(buffer.room)
                if piece.isEmpty { break }
                buffer.append(piece)
            }
            rest = rest.dropFirst(piece.count)
        }
        return rest
    }

    /// Sends a piece, and buffers what the socket does not take.
    private func send(_ piece: ArraySlice<UInt8>) {
        let (length, sent) = daemon.scratch.withUnsafeMutableBytes { scratch in
            let length = buffer.frame(piece, into: scratch)
            return (length, transmit(UnsafeRawBufferPointer(rebasing: scratch[..<length])))
        }
        guard let sent else { return daemon.peerLeft(connection) }
        credit -= piece.count + Self.writeCredit
        if sent < length {
            hold(length - sent)
            daemon.scratch.withUnsafeBytes { buffer.append(rest: $0[sent..<length]) }
        }
        if sent < length || credit <= 0 { block() }
    }

    /// - Returns: how many bytes the socket took; nil if the connection has ended.
    private func transmit(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = CLinux.send(connection.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return count }
        let error = Errno.current
        return error == Errno(EAGAIN) || error == Errno(EINTR) ? 0 : nil
    }

    /// Charges and allocates the buffer. If the budget has no room for a full one, it gets only `count` bytes.
    private func hold(_ count: Int) {
        let memory = daemon.limits.memory
        if memory.charge(HTTPLimits.streamBufferBytes, for: .answers) {
            connection.answerCharge = HTTPLimits.streamBufferBytes
            connection.answerBegan = Clock.now().nanoseconds
            buffer.open(limit: HTTPLimits.streamBufferBytes)
        } else if count > 0 {
            daemon.chargeInAnyCase(count, of: connection)
            buffer.open(limit: count)
        }
        if backlog == nil { fallBehind() }
    }

    private func releaseBuffer() {
        buffer.close()
        daemon.limits.memory.release(connection.answerCharge, of: .answers)
        connection.answerCharge = 0
    }

    // MARK: The client

    /// Sends nothing more until the socket is reported writable. That may be at once.
    private func block() {
        isBlocked = true
        daemon.watchWritability(of: connection)
    }

    private func fallBehind() {
        backlog = Backlog(began: Clock.now().nanoseconds)
        setDeadline()
    }

    private func setDeadline() {
        connection.deadline = backlog?.deadline(milliseconds: daemon.limits.sendTimeoutMilliseconds) ?? .max
    }

    /// Continues after the client has read something, or other connections have had their turn.
    func socketIsWritable() {
        guard isBlocked else { return }
        isBlocked = false
        credit = Self.fullCredit
        flush()
        while buffer.isEmpty || buffer.room > 0, let write = pending.first {
            let rest = take(write.bytes)
            // `take` may have found that the client has left.
            guard refusal == nil, !pending.isEmpty else { return }
            if rest.count < write.bytes.count { pending[0].isBegun = true }
            pending[0].bytes = rest
            guard rest.isEmpty else { break }
            pending.removeFirst().continuation.resume(returning: nil)
        }
        catchUp()
    }

    private func flush() {
        while !buffer.isEmpty {
            guard let count = buffer.withUnsentBytes(transmit) else { return daemon.peerLeft(connection) }
            guard count > 0 else { return block() }
            backlog?.sent += count
            buffer.remove(count)
        }
        releaseBuffer()
    }

    private func catchUp() {
        guard buffer.isEmpty, pending.isEmpty else { return setDeadline() }
        backlog = nil
        switch phase {
        case .producing: connection.deadline = .max
        case .flushing(let completion): end(completion)
        case .awaitingHead, .ended: break
        }
    }

    // MARK: Ends

    /// Ends the response after its producer has returned or thrown.
    func producerReturned(_ error: (any Error)?) {
        guard case .producing = phase else { return }
        connection.task = nil
        let isComplete = error == nil && refusal == nil && pending.isEmpty
        if let error, refusal == nil {
            daemon.log(
                "The response to \(connection.head?.method.name ?? "a request") \(connection.head?.path ?? "") was aborted: "
                    + "its stream failed: \(error)")
        }
        refuse(refusal ?? .ended)
        let completion = isComplete ? Completion.complete : .truncated
        if buffer.isEmpty { end(completion) } else { phase = .flushing(completion) }
    }

    /// Rejects further writes during shutdown. The producer's task has been canceled, and has a moment to return.
    func stop() {
        switch phase {
        case .awaitingHead, .producing: refuse(.serviceStopped)
        case .flushing, .ended: break
        }
    }

    /// Aborts the response: no last chunk is sent.
    func breakOff(because error: ResponseStreamError) {
        if case .ended = phase { return }
        connection.task?.cancel()
        refuse(error)
        releaseBuffer()
        end(.truncated)
    }

    /// Cleans up after the library has ended the response. The daemon releases the buffer's charge with the request's.
    func requestEnded() {
        refuse(refusal ?? .clientLeft)
        buffer.close()
        phase = .ended(.truncated)
    }

    /// Fails all queued and further writes.
    private func refuse(_ error: ResponseStreamError) {
        refusal = error
        let writes = pending
        pending = []
        for write in writes { write.continuation.resume(returning: error) }
    }
}

extension BodyStream {
    /// A client that lags behind, and the bytes that it has taken since.
    struct Backlog {
        /// Nanoseconds of CLOCK_MONOTONIC.
        let began: UInt64
        var sent = 0

        /// When the stream is aborted, in nanoseconds of CLOCK_MONOTONIC. As for documents, each 64 KiB that the client takes
        /// adds a second.
        func deadline(milliseconds: Int) -> UInt64 {
            began + UInt64(milliseconds + sent / 65536 * 1000) * 1_000_000
        }
    }
}

/// The bounded buffer of a streamed body: framed bytes that the socket has not taken yet.
struct StreamBuffer {
    /// Whether each piece is framed as a chunk (RFC 9112, section 7.1). HTTP/1.0 has no chunks: the connection's end is the
    /// body's end.
    let isChunked: Bool
    private var bytes: [UInt8] = []
    private var start = 0
    private var limit = 0

    init(isChunked: Bool) {
        self.isChunked = isChunked
    }

    var isEmpty: Bool { start == bytes.count }
    var count: Int { bytes.count - start }

    /// How many bytes of a body fit, without their framing.
    var room: Int { max(limit - count - overhead, 0) }

    private var overhead: Int { isChunked ? Self.chunkOverhead : 0 }

    /// Six hexadecimal digits, enough for 16 MiB, and two line ends.
    static let chunkOverhead = 10

    /// Allocates memory.
    /// - Parameter limit: how many bytes fit, framing included.
    mutating func open(limit: Int) {
        self.limit = limit
        bytes.reserveCapacity(limit)
    }

    /// Discards the contents and frees the memory.
    mutating func close() {
        bytes = []
        start = 0
        limit = 0
    }

    /// Appends the part of a frame that the socket did not take.
    mutating func append(rest: Slice<UnsafeRawBufferPointer>) {
        bytes.append(contentsOf: rest)
    }

    /// Frames and appends a piece of at most `room` bytes.
    mutating func append(_ piece: ArraySlice<UInt8>) {
        if bytes.count + piece.count + overhead > limit {
            bytes.removeFirst(start)
            start = 0
        }
        if isChunked { bytes.append(contentsOf: "\(String(piece.count, radix: 16))\r\n".utf8) }
        bytes.append(contentsOf: piece)
        if isChunked { bytes.append(contentsOf: "\r\n".utf8) }
    }

    /// Calls `body` with the bytes to send next.
    func withUnsentBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Removes bytes that the socket has taken.
    mutating func remove(_ count: Int) {
        start += count
    }

    /// Frames a piece in other memory, which must have room for it and `chunkOverhead`.
    /// - Returns: the length of the frame.
    func frame(_ piece: ArraySlice<UInt8>, into memory: UnsafeMutableRawBufferPointer) -> Int {
        var length = 0
        func put(_ byte: UInt8) {
            memory[length] = byte
            length += 1
        }
        func putLineEnd() {
            put(UInt8(ascii: "\r"))
            put(UInt8(ascii: "\n"))
        }
        if isChunked {
            let digits = max(1, (Int.bitWidth - piece.count.leadingZeroBitCount + 3) / 4)
            for place in (0..<digits).reversed() {
                let digit = UInt8(truncatingIfNeeded: piece.count >> (4 * place)) & 15
                put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
            putLineEnd()
        }
        piece.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[length...]).copyMemory(from: $0) }
        length += piece.count
        if isChunked { putLineEnd() }
        return length
    }
}
