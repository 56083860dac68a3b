internal import CLinux
public import ErrorCatalogue
internal import NetworkTypes
public import SocketIO

// Plaintext, after the handshake.
extension TLSChannel {
    /// Receives plaintext: first what OpenSSL has decrypted, then what the socket has.
    ///
    /// EOF without close_notify is EOF too: it does not matter here whether the peer's last bytes were cut off.
    /// - Returns: at most `capacity` bytes; empty at EOF.
    /// - Throws: EAGAIN if neither has anything; TLS_PROTOCOL also for a flood of records without plaintext.
    public func receive(from stream: SocketStream, atMost capacity: Int) throws(TLSTransferError) -> [UInt8] {
        while !hasEnded {
            do throws(TLSHandshakeFailure) {
                if let bytes = try decrypt(atMost: capacity) {
                    idleCount = 0
                    return bytes
                }
            } catch {
                sendWhatFits(on: stream)
                throw .tls(error)
            }
            // Each KeyUpdate is answered at once. A peer that sends many and reads no answer must not fill our memory.
            guard session.outputCount + outbox.unsent.count <= TLSLimits.unsentBytes else {
                throw .tls(violation(Self.flood))
            }
            let bytes = try ciphertext(from: stream)
            idleCount += bytes.count
            guard idleCount <= TLSLimits.idleBytes else { throw .tls(violation(Self.flood)) }
            guard session.feed(bytes) else { throw .tls(noMemory) }
            hasEnded = bytes.isEmpty
        }
        return []
    }

    static let flood = "the peer sends more than was to be expected"

    /// - Returns: nil if OpenSSL needs more bytes for a complete record.
    private func decrypt(atMost capacity: Int) throws(TLSHandshakeFailure) -> [UInt8]? {
        guard session.hasInput else { return nil }
        var bytes: [UInt8] = []
        switch session.read(atMost: capacity, into: &bytes) {
        case .done:
            return bytes
        case .wantsMore:
            return nil
        case .closed:
            hasEnded = true
            return []
        case .failed(let error):
            throw failure(from: error)
        }
    }

    /// Reads the socket. If it is empty, sends OpenSSL's answers for the peer, such as to a KeyUpdate.
    private func ciphertext(from stream: SocketStream) throws(TLSTransferError) -> [UInt8] {
        do throws(Errno) {
            return try stream.receiveNow(atMost: TLSLimits.receiveBytes)
        } catch {
            if error.rawValue == EAGAIN { sendWhatFits(on: stream) }
            throw .kernel(error)
        }
    }

    /// Sends plaintext, at most 16 KiB of it at once.
    /// - Returns: how many bytes were sent. Call it again with the rest.
    /// - Throws: EAGAIN if the socket has no room. Call it again with the same bytes: they may already be encrypted.
    public func send(_ bytes: ArraySlice<UInt8>, on stream: SocketStream) throws(TLSTransferError) -> Int {
        try flush(on: stream)
        if encryptedCount == 0, !bytes.isEmpty {
            let piece = bytes.prefix(TLSLimits.sendBytes)
            switch session.write(piece) {
            case .done: encryptedCount = piece.count
            case .wantsMore, .closed: throw .tls(violation("OpenSSL does not take what is to be sent"))
            case .failed(let error): throw .tls(failure(from: error))
            }
            try flush(on: stream)
        }
        defer { encryptedCount = 0 }
        return encryptedCount
    }

    /// - Throws: EAGAIN if something is left.
    private func flush(on stream: SocketStream) throws(TLSTransferError) {
        outbox.fill(from: session)
        do throws(Errno) {
            try outbox.flush(on: stream)
        } catch {
            throw .kernel(error)
        }
        guard outbox.isEmpty else { throw .kernel(Errno(EAGAIN)) }
    }

    /// Sends close_notify (RFC 8446, 6.1) if the socket has room, without waiting for an answer. After a failure, it sends
    /// nothing.
    ///
    /// It reads what the peer has sent, because closing a socket with unread bytes resets the connection. Later bytes still
    /// reset it, such as the tickets that a TLS 1.3 server sends after our last flight. Waiting for them would cost each
    /// check a round trip, and only the server's log shows the difference.
    public func sendCloseNotify(on stream: SocketStream) {
        guard isOpen else { return }
        isOpen = false
        writeCloseNotify()
        sendWhatFits(on: stream)
        for _ in 0..<TLSLimits.lastReceives {
            guard let bytes = try? stream.receiveNow(atMost: TLSLimits.receiveBytes), !bytes.isEmpty else { return }
        }
    }

    /// Makes OpenSSL write close_notify, once; it is not sent yet.
    func writeCloseNotify() {
        guard !isCloseWritten else { return }
        isCloseWritten = true
        session.close()
    }

    /// Sends OpenSSL's own answers, such as alerts. The next `send` reports what is wrong with sending.
    private func sendWhatFits(on stream: SocketStream) {
        outbox.fill(from: session)
        try? outbox.flush(on: stream)
    }

    /// What a failed step means. The connection cannot be used any more.
    func failure(from error: OpenSSLError?) -> TLSHandshakeFailure {
        isOpen = false
        return FailureNaming(record: record, error: error).failure
    }

    /// OpenSSL could not store what came. The connection cannot be used any more.
    var noMemory: TLSHandshakeFailure {
        isOpen = false
        return .ofOurOwn("OpenSSL is out of memory")
    }

    func violation(_ message: String) -> TLSHandshakeFailure {
        isOpen = false
        return TLSHandshakeFailure(.protocolViolation, message: message)
    }
}

/// Ciphertext that the kernel has not accepted yet.
struct Outbox {
    private var bytes: [UInt8] = []
    private var sentCount = 0

    var isEmpty: Bool { sentCount == bytes.count }
    var unsent: ArraySlice<UInt8> { bytes[sentCount...] }

    mutating func fill(from session: borrowing TLSSession) {
        session.takeOutput(into: &bytes)
    }

    /// Drops bytes that were sent in another way.
    mutating func drop(_ count: Int) {
        sentCount = min(bytes.count, sentCount + count)
        guard isEmpty else { return }
        bytes.removeAll(keepingCapacity: true)
        sentCount = 0
    }

    /// Sends what the socket has room for; EAGAIN is not an error here.
    mutating func flush(on stream: SocketStream) throws(Errno) {
        while !isEmpty {
            do throws(Errno) {
                drop(try stream.sendNow(unsent))
            } catch {
                guard error.rawValue == EAGAIN else { throw error }
                return
            }
        }
    }
}
