import CLinux
internal import CheckModel
internal import ErrorCatalogue
public import NetworkTypes
public import SocketIO

extension TLSChannel {
    /// Runs the handshake, until it is done, has failed, or `deadline` has come. Once for each channel.
    ///
    /// Where a TLS 1.3 server asked for a certificate, and where an alert is expected, `completed` is said only behind the
    /// server's next record or 500 ms, which count as time of the handshake. What comes with it stays for `receive`.
    /// - Parameter token: the socket's place in the reactor, registered for `anything`.
    public func handshake(
        on socket: borrowing Socket, token: SlotToken, reactor: Reactor, until deadline: MonotonicTime
    ) async -> TLSHandshakeEnding {
        let begin = Clock.now()
        var line = HandshakeLine(reactor: reactor, token: token, deadline: deadline)
        let ending = await exchange(on: socket, &line)
        report.handshakeNanoseconds = Clock.now().since(begin)
        isOpen = ending == .completed
        return conclude(ending)
    }

    private func exchange(on socket: borrowing Socket, _ line: inout HandshakeLine) async -> TLSHandshakeEnding {
        if let openingFailure { return .failed(openingFailure) }
        while true {
            if let ending = line.interruption { return ending }
            let step = session.handshake()
            let error = flush(on: socket)
            switch step {
            // What ended the handshake comes before what hinders us to answer.
            case .closed: return .failed(closed)
            case .failed(let error): return .failed(failure(behind: error))
            case .done where error == nil: return await verdict(on: socket, &line)
            case .done, .wantsMore: break
            }
            if let error { return lastWord(on: socket, behind: error) }
            switch await line.hear(on: socket, for: self, until: line.deadline) {
            case .news: continue
            case .ended: return .failed(closed)
            case .timeIsUp: return .deadline
            case .over(let ending): return ending
            }
        }
    }

    /// A TLS 1.3 server judges our certificate, or that there is none, when we are done already. In TLS 1.2 its Finished
    /// is the last message of the handshake: there is nothing more to wait for.
    private var awaitsVerdict: Bool {
        options.expectedAlert != nil || awaitsLateVerdict && record.isAskedForCertificate && session.isTLS13
    }

    private func verdict(on socket: borrowing Socket, _ line: inout HandshakeLine) async -> TLSHandshakeEnding {
        guard awaitsVerdict else { return .completed }
        let limit = min(line.deadline, Clock.now().advanced(byMilliseconds: TLSLimits.verdictMilliseconds))
        while true {
            switch session.peek() {
            case .done, .closed: return .completed
            case .failed(let error): return .failed(failure(behind: error))
            case .wantsMore: break
            }
            // An alert that is expected may come behind the tickets too.
            if record.hasTicket, session.isTLS13, options.expectedAlert == nil { return .completed }
            if let error = flush(on: socket) { return lastWord(on: socket, behind: error) }
            switch await line.hear(on: socket, for: self, until: limit) {
            case .news: continue
            case .ended: return .failed(closed)
            case .timeIsUp: return .completed
            case .over(let ending): return ending
            }
        }
    }

    /// - Returns: the error of send(2); nil also where the socket has no room.
    private func flush(on socket: borrowing Socket) -> Errno? {
        outbox.fill(from: session)
        do throws(Errno) {
            try outbox.flush(on: socket)
            return nil
        } catch {
            return error
        }
    }

    /// A server that refuses us and closes, with something of ours unread, resets the connection: why it did is in the
    /// socket still.
    private func lastWord(on socket: borrowing Socket, behind error: Errno) -> TLSHandshakeEnding {
        for _ in 0..<TLSLimits.receivesOfTurn {
            guard let bytes = try? socket.receive(atMost: TLSLimits.receiveBytes), !bytes.isEmpty else { break }
            guard session.feed(bytes) else { break }
            switch session.isDone ? session.peek() : session.handshake() {
            case .failed(let reason) where record.peerAlert != nil: return .failed(failure(behind: reason))
            case .failed, .closed: return .broken(error)
            case .done, .wantsMore: continue
            }
        }
        return .broken(error)
    }

    private var closed: TLSHandshakeFailure {
        var failure = TLSHandshakeFailure(.closed, message: "the peer closed the connection within the handshake")
        failure.sentServerName = record.peer.serverName != nil
        return failure
    }
}

/// Judges whether a peer's first bytes begin a TLS record: a content type and the major version, RFC 8446, 5.1.
struct PeerOpening {
    /// The first two that came, or as many as there are.
    private var first: [UInt8] = []

    /// Takes what has come.
    /// - Returns: what to show of a peer that speaks something else, from its first byte; nil if the bytes are valid
    ///   as far as they go.
    mutating func foreignBytes(in bytes: [UInt8]) -> [UInt8]? {
        guard first.count < 2 else { return nil }
        let all = first + bytes.prefix(TLSLimits.shownBytes)
        first = Array(all.prefix(2))
        for (offset, byte) in first.enumerated() where !Self.fits(byte, at: offset) {
            return Array(all.prefix(TLSLimits.shownBytes))
        }
        return nil
    }

    private static func fits(_ byte: UInt8, at offset: Int) -> Bool {
        // change_cipher_spec, alert, handshake, application_data, heartbeat.
        offset == 0 ? (20...24).contains(byte) : byte == 3
    }
}
