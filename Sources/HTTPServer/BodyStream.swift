internal import CLinux
internal import CMicrohttpd
internal import CheckModel
internal import SocketIO

/// The body of one streamed response on its way to the client. Touched on its worker's thread only.
///
/// The library sends the head, and the end of the last chunk. Between them it leaves the connection alone, and the pieces go
/// straight to the socket: each is on the wire when `write` returns. Through the library, each piece would take two of
/// its runs, each of which walks all connections that are suspended, and would be cut to the 4 KiB that a connection has.
final class BodyStream {
    /// Whether the client got all of the body.
    enum Completion {
        case complete, truncated
    }

    enum Phase {
        /// The library sends the head. The producer has not started.
        case awaitingHead
        case producing
        /// The producer has returned; the client has not taken all of the buffer.
        case flushing(Completion)
        /// The library ends the response at its next call.
        case ended(Completion)
    }

    private struct PendingWrite {
        let id: UInt64
        var bytes: ArraySlice<UInt8>
        var isBegun = false
        let continuation: CheckedContinuation<ResponseStreamError?, Never>
    }

    /// Whether the client gets a body; the producer starts only for one.
    let hasBody: Bool
    private let producer: StreamProducer
    // Both live as long as the request that this answers.
    private unowned let connection: Connection
    private unowned let daemon: HTTPDaemon

    private(set) var phase: Phase = .awaitingHead
    /// Why nothing more is taken.
    private(set) var refusal: ResponseStreamError?
    private var buffer: StreamBuffer
    /// Writes that wait for room, the longest first.
    private var pending: [PendingWrite] = []
    private var lastWrite: UInt64 = 0
    /// The library leaves the connection alone.
    private var isSuspended = false
    /// Nothing is sent before the socket is reported writable.
    private var isBlocked = false
    /// What may be sent before other connections get their turn.
    private var credit = fullCredit
    /// nil while the client keeps up.
    private var backlog: Backlog?

    private static let pieceBytes = 32 << 10
    private static let fullCredit = 256 << 10
    /// What a write costs, next to its bytes.
    private static let writeCredit = 4096

    init(_ producer: @escaping StreamProducer, status: Int, on connection: Connection, of daemon: HTTPDaemon) {
        self.producer = producer
        hasBody = connection.head?.method != .head && status != 204 && status != 304
        self.connection = connection
        self.daemon = daemon
        buffer = StreamBuffer(isChunked: !connection.isHTTP10)
    }

    // MARK: The library

    /// The library could send more: the first time when the head has left.
    /// - Returns: as MHD_ContentReaderCallback(3) does.
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

    /// Lets the library end the response.
    private func end(_ completion: Completion) {
        phase = .ended(completion)
        connection.deadline = daemon.deadline(daemon.limits.sendTimeoutMilliseconds)
        if completion == .truncated, !buffer.isChunked { daemon.resetClient(of: connection) }
        guard isSuspended, let handle = connection.handle else { return }
        isSuspended = false
        MHD_resume_connection(handle)
        daemon.mustRun = true
    }

    // MARK: Writing

    /// Sends or holds as much as there is room for.
    /// - Returns: the rest.
    func write(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        pending.isEmpty ? take(bytes) : bytes
    }

    /// The number of a write that has to wait.
    func nextWrite() -> UInt64 {
        lastWrite += 1
        return lastWrite
    }

    /// Resumes the continuation when the bytes have found room, or never will.
    func wait(
        with rest: ArraySlice<UInt8>, id: UInt64, isBegun: Bool,
        _ continuation: CheckedContinuation<ResponseStreamError?, Never>
    ) {
        pending.append(PendingWrite(id: id, bytes: rest, isBegun: isBegun, continuation: continuation))
    }

    /// Ends a write whose task was cancelled. One that the client has a part of goes on, or the next would follow on half a
    /// piece.
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

    /// Sends a piece, and holds what the socket does not take of it.
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

    /// - Returns: how many bytes the socket took; nil where the connection has ended.
    private func transmit(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = CLinux.send(connection.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return count }
        let error = Errno.current
        return error == Errno(EAGAIN) || error == Errno(EINTR) ? 0 : nil
    }

    /// Charges the buffer, and opens it. Where there is no room for a whole one, it holds no more than it must.
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

    /// Sends nothing more until the socket is reported writable, which it may be already.
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

    /// The client has read something, or other connections have had their turn.
    func socketIsWritable() {
        guard isBlocked else { return }
        isBlocked = false
        credit = Self.fullCredit
        flush()
        while buffer.isEmpty || buffer.room > 0, let write = pending.first {
            let rest = take(write.bytes)
            // Taking may have found that the client has left.
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

    /// The producer has returned, or has thrown.
    func producerReturned(_ error: (any Error)?) {
        guard case .producing = phase else { return }
        connection.task = nil
        let isComplete = error == nil && refusal == nil && pending.isEmpty
        if let error, refusal == nil {
            daemon.log(
                "The response to \(connection.head?.method.name ?? "a request") \(connection.head?.path ?? "") was broken "
                    + "off: its stream failed: \(error)")
        }
        refuse(refusal ?? .ended)
        let completion = isComplete ? Completion.complete : .truncated
        if buffer.isEmpty { end(completion) } else { phase = .flushing(completion) }
    }

    /// The service has waited for the stream as long as it may: its producer is cancelled, and has a moment to return.
    func stop() {
        switch phase {
        case .awaitingHead, .producing: refuse(.serviceStopped)
        case .flushing, .ended: break
        }
    }

    /// Breaks the body off.
    func breakOff(because error: ResponseStreamError) {
        if case .ended = phase { return }
        connection.task?.cancel()
        refuse(error)
        releaseBuffer()
        end(.truncated)
    }

    /// The library has ended the response. What the buffer is charged is released with the request.
    func requestEnded() {
        refuse(refusal ?? .clientLeft)
        buffer.close()
        phase = .ended(.truncated)
    }

    /// Takes no more, and tells those who wait.
    private func refuse(_ error: ResponseStreamError) {
        refusal = error
        let writes = pending
        pending = []
        for write in writes { write.continuation.resume(returning: error) }
    }
}

extension BodyStream {
    /// A client that has fallen behind, and what it has taken since.
    struct Backlog {
        /// Nanoseconds of CLOCK_MONOTONIC.
        let began: UInt64
        var sent = 0

        /// Until when the client has to catch up, in nanoseconds of CLOCK_MONOTONIC: a second more for every 64 KiB that it
        /// takes, as for documents.
        func deadline(milliseconds: Int) -> UInt64 {
            began + UInt64(milliseconds + sent / 65536 * 1000) * 1_000_000
        }
    }
}
