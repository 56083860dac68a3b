internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// The socket of a client whose TLS handshake is in progress. Used on the handshake thread only.
///
/// Every operation ends at the deadline, when the client closes, and when the table dismisses the client.
struct HandshakeStream {
    /// Owned by the caller.
    let descriptor: Int32
    /// The client's key in the table.
    let number: UInt64
    let token: SlotToken
    let table: HandshakeTable
    private let stream: SocketStream

    private static let chunk = 16384

    init(_ descriptor: Int32, number: UInt64, token: SlotToken, in table: HandshakeTable, on stream: SocketStream) {
        self.descriptor = descriptor
        self.number = number
        self.token = token
        self.table = table
        self.stream = stream
        stream.noteWait = { table.note(number, isWaiting: $0) }
    }

    /// Waits until the client's first record is complete, and leaves it in the kernel. So a client that never completes its
    /// record costs no memory.
    /// - Returns: the record's first byte; nil at EOF, at the deadline, and when the service stops.
    func awaitFirstRecord() async -> UInt8? {
        defer { setLowMark(1) }
        while stream.interruption == nil {
            do throws(Errno) {
                let header = try stream.peekNow(atMost: Self.headerLength)
                guard let first = header.first else { return nil }
                if first != Self.handshakeRecord { return first }
                if header.count == Self.headerLength {
                    let length = Self.headerLength + Int(header[3]) << 8 + Int(header[4])
                    // OpenSSL refuses a longer one by its header.
                    guard length <= Self.chunk, connectd_unread_bytes(descriptor) < length else { return first }
                    setLowMark(Int32(length))
                }
            } catch {
                guard error.rawValue == EAGAIN else { return nil }
            }
            guard isWanted, await isReadable() else { return nil }
        }
        return nil
    }

    private static let handshakeRecord: UInt8 = 22
    private static let headerLength = 5

    private func isReadable() async -> Bool {
        do throws(SocketStream.Failure) {
            try await stream.wait(for: .readable, until: stream.deadline)
            return true
        } catch {
            return false
        }
    }

    /// Makes the kernel report the socket as readable only when at least `count` bytes have arrived.
    private func setLowMark(_ count: Int32) {
        try? SystemCall.setOption(descriptor, level: SOL_SOCKET, name: SO_RCVLOWAT, value: count)
    }

    /// - Returns: at most 16 KiB; empty at EOF, at the deadline, and when the service stops.
    func receive() async -> [UInt8] {
        (try? await stream.receive(atMost: Self.chunk)) ?? []
    }

    /// - Returns: whether the kernel took all bytes.
    func send(_ bytes: [UInt8]) async -> Bool {
        (try? await stream.send(bytes)) != nil
    }

    /// Shuts down the writing half, then reads and discards what the client still sends. If the socket were closed at once,
    /// the kernel would answer those bytes with a reset, which can destroy our response before the client has read it.
    func linger(within limits: HTTPLimits) async {
        shutdown(descriptor, Int32(SHUT_WR))
        stream.deadline = Clock.now().advanced(byMilliseconds: limits.discardMilliseconds)
        var rest = limits.discardedBytes
        while rest > 0 {
            let bytes = await receive()
            guard !bytes.isEmpty else { return }
            rest -= bytes.count
        }
    }

    /// Whether the client is still connected, and has not been dismissed for another one.
    var isWanted: Bool {
        var entry = pollfd(fd: descriptor, events: connectd_poll_rdhup, revents: 0)
        return poll(&entry, 1, 0) == 0 && !table.isDismissed(number)
    }
}
