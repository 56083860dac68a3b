internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// The socket of a client whose TLS handshake is in progress. Used on the handshake thread only.
///
/// Every operation ends at `deadline`, when the client closes, and when the table dismisses the client.
struct HandshakeStream {
    /// Owned by the caller.
    let descriptor: Int32
    /// The client's key in the table.
    let number: UInt64
    let token: SlotToken
    let reactor: Reactor
    let table: HandshakeTable
    var deadline: MonotonicTime

    private static let chunk = 16384

    /// Waits until the client's first record is complete, and leaves it in the kernel. So a client that never completes its
    /// record costs no memory.
    /// - Returns: the record's first byte; nil at EOF, at the deadline, and when the service stops.
    func awaitFirstRecord() async -> UInt8? {
        defer { setLowMark(1) }
        while Clock.now() < deadline {
            let (count, header) = peekHeader()
            if count == 0 { return nil }
            if count < 0, ![EAGAIN, EINTR].contains(Errno.current.rawValue) { return nil }
            if count > 0, header.0 != Self.handshakeRecord { return header.0 }
            if count == Self.headerLength {
                let length = Self.headerLength + Int(header.3) << 8 + Int(header.4)
                // OpenSSL refuses a longer one by its header.
                guard length <= Self.chunk, connectd_unread_bytes(descriptor) < length else { return header.0 }
                setLowMark(Int32(length))
            }
            guard isWanted, await wait(for: .readable) else { return nil }
        }
        return nil
    }

    private static let handshakeRecord: UInt8 = 22
    private static let headerLength = 5

    private func peekHeader() -> (count: Int, bytes: (UInt8, UInt8, UInt8, UInt8, UInt8)) {
        var bytes: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
        let count = withUnsafeMutableBytes(of: &bytes) {
            recv(descriptor, $0.baseAddress, Self.headerLength, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        }
        return (count, bytes)
    }

    /// Makes the kernel report the socket as readable only when at least `count` bytes have arrived.
    private func setLowMark(_ count: Int32) {
        try? SystemCall.setOption(descriptor, level: SOL_SOCKET, name: SO_RCVLOWAT, value: count)
    }

    /// - Returns: at most 16 KiB; empty at EOF, at the deadline, and when the service stops.
    func receive() async -> [UInt8] {
        while Clock.now() < deadline {
            do throws(Errno) {
                return try SystemCall.receive(from: descriptor, atMost: Self.chunk)
            } catch {
                if error == Errno(EINTR) { continue }
                guard error == Errno(EAGAIN), await wait(for: .readable) else { return [] }
            }
        }
        return []
    }

    /// - Returns: whether the kernel took all bytes.
    func send(_ bytes: [UInt8]) async -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(Errno) {
                rest = rest.dropFirst(try SystemCall.send(rest, to: descriptor))
            } catch {
                if error == Errno(EINTR) { continue }
                guard error == Errno(EAGAIN), await wait(for: .writable) else { return false }
            }
        }
        return true
    }

    /// Shuts down the writing half, then reads and discards what the client still sends. If the socket were closed at once,
    /// the kernel would answer those bytes with a reset, which can destroy our response before the client has read it.
    mutating func linger(within limits: HTTPLimits) async {
        shutdown(descriptor, Int32(SHUT_WR))
        deadline = Clock.now().advanced(byMilliseconds: limits.discardMilliseconds)
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

    private func wait(for interest: Readiness) async -> Bool {
        table.note(number, isWaiting: true)
        defer { table.note(number, isWaiting: false) }
        return await reactor.waitOnThread(token, for: interest, until: deadline) == .ready
    }
}
