internal import CheckModel
public import ErrorCatalogue
internal import NetworkTypes
public import SocketIO

extension TLSChannel {
    /// Runs the handshake until it is complete, has failed, or the stream's deadline has come. Call it once for a channel.
    ///
    /// If a TLS 1.3 server asked for a certificate, or an alert is expected, it returns `completed` only after the server's
    /// next record or 500 ms. That counts as time of the handshake. What the server sent with it stays for `receive`.
    public func handshake(on stream: SocketStream) async -> TLSHandshakeOutcome {
        let begin = Clock.now()
        let outcome = await exchange(on: stream)
        report.handshakeNanoseconds = Clock.now().since(begin)
        isOpen = outcome == .completed
        return conclude(outcome)
    }

    private func exchange(on stream: SocketStream) async -> TLSHandshakeOutcome {
        if let openingFailure { return .failed(openingFailure) }
        do throws(SocketStream.Failure) {
            while true {
                if let interruption = stream.interruption { throw interruption }
                switch advance(on: stream) {
                case .needsRecords: break
                case .ended(let outcome): return outcome
                case .done:
                    guard awaitsVerdict else { return .completed }
                    return try await verdict(on: stream)
                }
                if let outcome = try await receiveRecords(from: stream, until: stream.deadline) { return outcome }
            }
        } catch {
            return TLSHandshakeOutcome(error)
        }
    }

    private enum Progress {
        case done, needsRecords
        case ended(TLSHandshakeOutcome)
    }

    /// Runs the handshake as far as the received records allow, and sends what OpenSSL has for the peer.
    ///
    /// Not inlined: the frame of `exchange` would contain its temporaries while it waits.
    @inline(never)
    private func advance(on stream: SocketStream) -> Progress {
        let step = session.handshake()
        if case .done = step, closesAfterHandshake, !awaitsVerdict { writeCloseNotify() }
        let error = flush(on: stream)
        switch step {
        // What ended the handshake matters more than why our answer could not be sent.
        case .closed: return .ended(.failed(closed))
        case .failed(let error): return .ended(.failed(failure(from: error)))
        case .done where error == nil: return .done
        case .done, .wantsMore: return error.map { .ended(lastRecord(on: stream, after: $0)) } ?? .needsRecords
        }
    }

    /// Receives records for OpenSSL, waiting until `limit` if there are none.
    /// - Returns: nil if the handshake continues: with more records, or with room for what the peer has not got yet.
    private func receiveRecords(
        from stream: SocketStream, until limit: MonotonicTime
    ) async throws(SocketStream.Failure) -> TLSHandshakeOutcome? {
        // The peer's first bytes answer ours: to look for them at once would be a system call for nothing.
        if outbox.isEmpty { try await stream.waitForFirstBytes(until: limit) }
        while true {
            try await stream.awaitTurn()
            do throws(Errno) {
                return take(try stream.receiveNow(atMost: TLSLimits.receiveBytes))
            } catch {
                let interest: Readiness = outbox.isEmpty ? .readable : [.readable, .writable]
                try await stream.recover(from: error, for: interest, until: limit)
                if !outbox.isEmpty { return nil }
            }
        }
    }

    /// Takes what the peer has sent; nothing means EOF.
    /// - Returns: why the handshake ends; nil if it continues.
    @inline(never)
    private func take(_ bytes: [UInt8]) -> TLSHandshakeOutcome? {
        if bytes.isEmpty { return .failed(closed) }
        receivedCount += bytes.count
        if let foreign = opening.foreignBytes(in: bytes) {
            return .failed(
                TLSHandshakeFailure(.notTLS, message: "the peer did not send a TLS record", received: foreign))
        }
        guard receivedCount <= TLSLimits.handshakeBytes else { return .failed(violation(Self.flood)) }
        guard session.feed(bytes) else { return .failed(noMemory) }
        return nil
    }

    /// A TLS 1.3 server checks our certificate, or that there is none, after our handshake is complete. In TLS 1.2, its
    /// Finished is the last message of the handshake, so there is nothing to wait for.
    private var awaitsVerdict: Bool {
        options.expectedAlert != nil || awaitsLateVerdict && record.isAskedForCertificate && session.isTLS13
    }

    private func verdict(on stream: SocketStream) async throws(SocketStream.Failure) -> TLSHandshakeOutcome {
        let limit = min(stream.deadline, Clock.now().advanced(byMilliseconds: TLSLimits.verdictMilliseconds))
        while true {
            if let outcome = verdictSoFar(on: stream) { return outcome }
            do throws(SocketStream.Failure) {
                if let outcome = try await receiveRecords(from: stream, until: limit) { return outcome }
            } catch {
                if error == .deadline { return .completed }
                throw error
            }
        }
    }

    /// - Returns: nil until the server has sent something.
    @inline(never)
    private func verdictSoFar(on stream: SocketStream) -> TLSHandshakeOutcome? {
        switch session.peek() {
        case .done, .closed: return .completed
        case .failed(let error): return .failed(failure(from: error))
        case .wantsMore: break
        }
        // An expected alert may follow the tickets.
        if record.hasTicket, session.isTLS13, options.expectedAlert == nil { return .completed }
        return flush(on: stream).map { lastRecord(on: stream, after: $0) }
    }

    /// - Returns: the error of send(2); nil also if the socket has no room.
    private func flush(on stream: SocketStream) -> Errno? {
        outbox.fill(from: session)
        do throws(Errno) {
            try outbox.flush(on: stream)
            return nil
        } catch {
            return error
        }
    }

    /// A server that refuses us and closes, with unread bytes of ours, resets the connection. The reason is still in the
    /// socket.
    private func lastRecord(on stream: SocketStream, after error: Errno) -> TLSHandshakeOutcome {
        for _ in 0..<TLSLimits.lastReceives {
            guard let bytes = try? stream.receiveNow(atMost: TLSLimits.receiveBytes), !bytes.isEmpty else { break }
            guard session.feed(bytes) else { break }
            switch session.isDone ? session.peek() : session.handshake() {
            case .failed(let reason) where record.peerAlert != nil: return .failed(failure(from: reason))
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
