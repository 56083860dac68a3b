import CLinux
import ErrorCatalogue
import NetworkTypes
public import SocketIO

// Plaintext, once the handshake is done.
extension TLSChannel {
    /// Plaintext that has come: what OpenSSL has first, then what the socket has.
    ///
    /// An end without close_notify is an end like any other: whether a peer's last words were cut off is not asked here.
    /// - Returns: empty at the end of the stream.
    /// - Throws: EAGAIN where neither has anything; TLS_PROTOCOL also for a flood of records without plaintext.
    public func receive(from socket: borrowing Socket, atMost capacity: Int) throws(TLSTransferError) -> [UInt8] {
        while !hasEnded {
            do throws(TLSHandshakeFailure) {
                if let bytes = try decrypt(atMost: capacity) {
                    idleCount = 0
                    return bytes
                }
            } catch {
                sendWhatFits(on: socket)
                throw .tls(error)
            }
            // Each KeyUpdate is answered at once: a peer that asks for answers and reads none must not fill our memory.
            guard session.outputCount + outbox.unsent.count <= TLSLimits.unsentBytes else {
                throw .tls(breach(Self.flood))
            }
            let bytes = try ciphertext(from: socket)
            idleCount += bytes.count
            guard idleCount <= TLSLimits.idleBytes, session.feed(bytes) else { throw .tls(breach(Self.flood)) }
            hasEnded = bytes.isEmpty
        }
        return []
    }

    static let flood = "the peer sends more than was to be expected"

    /// - Returns: nil where OpenSSL needs more for a whole record.
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
            throw failure(behind: error)
        }
    }

    /// Reads the socket. Answers that OpenSSL has for the peer, as to a KeyUpdate, leave where there is room.
    private func ciphertext(from socket: borrowing Socket) throws(TLSTransferError) -> [UInt8] {
        while true {
            do throws(Errno) {
                return try socket.receive(atMost: TLSLimits.receiveBytes)
            } catch {
                if error.rawValue == EINTR { continue }
                if error.rawValue == EAGAIN { sendWhatFits(on: socket) }
                throw .kernel(error)
            }
        }
    }

    /// Sends plaintext, at most 16 KiB of it at once.
    /// - Returns: how many bytes have left, encrypted; the rest is to be given again.
    /// - Throws: EAGAIN where the socket has no room: the same bytes are to be given again, since they may be encrypted
    ///   already and wait for it.
    public func send(_ bytes: ArraySlice<UInt8>, on socket: borrowing Socket) throws(TLSTransferError) -> Int {
        try flush(on: socket)
        if encryptedCount == 0, !bytes.isEmpty {
            let piece = bytes.prefix(TLSLimits.sendBytes)
            switch session.write(piece) {
            case .done: encryptedCount = piece.count
            case .wantsMore, .closed: throw .tls(breach("OpenSSL does not take what is to be sent"))
            case .failed(let error): throw .tls(failure(behind: error))
            }
            try flush(on: socket)
        }
        defer { encryptedCount = 0 }
        return encryptedCount
    }

    /// - Throws: EAGAIN as long as something is left.
    private func flush(on socket: borrowing Socket) throws(TLSTransferError) {
        outbox.fill(from: session)
        do throws(Errno) {
            try outbox.flush(on: socket)
        } catch {
            throw .kernel(error)
        }
        guard outbox.isEmpty else { throw .kernel(Errno(EAGAIN)) }
    }

    /// Says close_notify (RFC 8446, 6.1), as far as the socket has room, without waiting for an answer. Nothing is said behind
    /// a failure.
    ///
    /// What has come is taken from the socket, so that its close is no reset for that. What comes later makes one: the
    /// tickets of TLS 1.3 do, which a server sends when it has our last flight. To wait for them would cost each check a
    /// round trip and the server's time, for an end that nobody but its log sees.
    public func sendCloseNotify(on socket: borrowing Socket) {
        guard isOpen else { return }
        isOpen = false
        session.close()
        sendWhatFits(on: socket)
        for _ in 0..<TLSLimits.receivesOfTurn {
            guard let bytes = try? socket.receive(atMost: TLSLimits.receiveBytes), !bytes.isEmpty else { return }
        }
    }

    /// Answers of OpenSSL's own, alerts among them. What is wrong with sending is found by whoever sends plaintext.
    private func sendWhatFits(on socket: borrowing Socket) {
        outbox.fill(from: session)
        try? outbox.flush(on: socket)
    }

    /// What a step's failure means; the connection is at its end.
    func failure(behind error: OpenSSLError?) -> TLSHandshakeFailure {
        isOpen = false
        return FailureNaming(record: record, error: error).failure
    }

    func breach(_ message: String) -> TLSHandshakeFailure {
        isOpen = false
        return TLSHandshakeFailure(.protocolViolation, message: message)
    }
}

/// Ciphertext that the socket has not taken yet.
struct Outbox {
    private var bytes: [UInt8] = []
    private var sentCount = 0

    var isEmpty: Bool { sentCount == bytes.count }
    var unsent: ArraySlice<UInt8> { bytes[sentCount...] }

    mutating func fill(from session: borrowing TLSSession) {
        session.takeOutput(into: &bytes)
    }

    /// Bytes that have left in another way.
    mutating func drop(_ count: Int) {
        sentCount = min(bytes.count, sentCount + count)
        guard isEmpty else { return }
        bytes.removeAll(keepingCapacity: true)
        sentCount = 0
    }

    /// Sends what the socket takes; EAGAIN is no error here.
    mutating func flush(on socket: borrowing Socket) throws(Errno) {
        while !isEmpty {
            do throws(Errno) {
                drop(try socket.send(unsent))
            } catch {
                switch error.rawValue {
                case EINTR: continue
                case EAGAIN: return
                case _: throw error
                }
            }
        }
    }
}
