internal import CLinux
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// The socket of a dialog, and what was received and not matched yet.
///
/// It is an object because frames of functions that wait would otherwise contain copies of its members.
final class DialogStream {
    enum ReadEvent {
        case bytes, endOfStream, deadline
        /// Nothing more can be received.
        case failed(DialogOutcome)
    }

    let socket: SocketStream
    private let framing: MessageFraming
    private let tls: (any DialogTLS)?
    /// Whether bytes go through TLS.
    private var usesTLS: Bool
    var inbox = Inbox()
    /// The patterns that must not match before the next expectation is met, with their steps.
    var rejects: [(step: Int, pattern: Pattern)] = []
    var budget = MatchBudget()
    /// The peer has sent something.
    private(set) var hasReceived = false
    /// The same since the last step that expects.
    private(set) var hasReceivedInStep = false
    /// The stream has ended.
    private(set) var hasEnded = false
    /// An expectation was met.
    private(set) var hasMatched = false
    /// What was received since the last step that expects.
    private var receivedCount = 0
    private var received: [UInt8] = []

    var deadline: MonotonicTime { socket.deadline }
    /// Whether messages have ends: datagrams, and the packets of SOCK_SEQPACKET.
    var hasMessages: Bool { framing != .stream }

    init(on socket: SocketStream, framing: MessageFraming, tls: (any DialogTLS)?) {
        self.socket = socket
        self.framing = framing
        self.tls = tls
        usesTLS = tls?.isEstablished ?? false
    }

    /// Receives once, waiting until `limit` if nothing is there.
    func receive(until limit: MonotonicTime) async -> ReadEvent {
        while true {
            do throws(SocketStream.Failure) {
                try await socket.awaitTurn()
                if let event = try receiveNow() { return event }
                try await socket.wait(for: .readable, until: limit)
            } catch {
                return Self.event(error)
            }
        }
    }

    /// - Returns: nil if nothing is there.
    @inline(never)
    private func receiveNow() throws(SocketStream.Failure) -> ReadEvent? {
        do throws(TLSTransferError) {
            return try take() ? .bytes : .endOfStream
        } catch {
            if case .kernel(let errno) = error, errno.rawValue == EAGAIN { return nil }
            return .failed(DialogOutcome(error))
        }
    }

    private static func event(_ failure: SocketStream.Failure) -> ReadEvent {
        switch failure {
        case .kernel(let error): .failed(.failed(error))
        case .deadline: .deadline
        case .cancelled: .failed(.cancelled)
        }
    }

    /// Takes what is there.
    /// - Returns: false at the end of the stream.
    private func take() throws(TLSTransferError) -> Bool {
        let bytes = try receiveBytes()
        if bytes.isEmpty, framing != .datagrams {
            hasEnded = true
            return false
        }
        hasReceived = true
        hasReceivedInStep = true
        receivedCount += bytes.count
        received += bytes.prefix(DialogLimits.shownBytes - received.count)
        inbox.append(bytes)
        return true
    }

    private func receiveBytes() throws(TLSTransferError) -> [UInt8] {
        let capacity = hasMessages ? DialogLimits.messageReceiveBytes : DialogLimits.streamReceiveBytes
        if usesTLS, let tls { return try tls.receive(from: socket, atMost: capacity) }
        do throws(Errno) { return try socket.receiveNow(atMost: capacity) } catch { throw .kernel(error) }
    }

    /// Sends what the kernel accepts of `bytes`, through TLS if that has begun.
    private func sendNow(_ bytes: ArraySlice<UInt8>) throws(TLSTransferError) -> Int {
        if usesTLS, let tls { return try tls.send(bytes, on: socket) }
        do throws(Errno) { return try socket.sendNow(bytes) } catch { throw .kernel(error) }
    }

    /// Sends and receives through TLS from now on, and forgets what was received before: an attacker who can write into
    /// the plaintext must not be able to answer for the peer (RFC 3207, 6).
    func switchToTLS() {
        usesTLS = true
        inbox = Inbox()
        if !rejects.isEmpty { inbox.keepForRejects() }
    }

    /// Ends an expectation: consumes what it matched, and clears the rejected patterns. Does nothing if the step failed.
    func noteMatch(_ result: StepResult) {
        guard result.outcome == nil else { return }
        hasMatched = true
        inbox.consume(to: result.end)
        rejects = []
    }

    func report(of step: CompiledStep, _ result: StepResult, since begin: MonotonicTime) -> DialogStepReport {
        var report = DialogStepReport(
            kind: step.kind, ok: result.outcome == nil, durationNanoseconds: Clock.now().since(begin),
            bytes: result.sentCount, received: nil)
        report.detail = result.detail
        switch step {
        case .send, .sendBytes, .sendLine: break
        case .reject where result.outcome == nil: break
        // The rest of a line does not matter after TLS has begun.
        case .startTLS where result.detail == nil, .startTLSAgain: takeReceived()
        case .expect, .expectBytes, .expectLine, .expectExactly, .reject, .startTLS:
            (report.bytes, report.received) = takeReceived()
        }
        return report
    }

    @discardableResult private func takeReceived() -> (Int, [UInt8]) {
        defer { (receivedCount, received, hasReceivedInStep) = (0, [], false) }
        return (receivedCount, received)
    }
}

// Steps that send.
extension DialogStream {
    /// Sends all bytes after the first `start`: as many calls as a stream needs, or one message.
    func send(_ bytes: [UInt8], from start: Int) async -> StepResult {
        var sentCount = start
        var isComplete = !hasMessages && start == bytes.count
        while !isComplete {
            if Task.isCancelled { return StepResult(outcome: .cancelled, sentCount: sentCount) }
            switch sendOnce(bytes[sentCount...]) {
            case .sent(let count):
                sentCount += count
                isComplete = sentCount == bytes.count
            case .failed(let outcome): return StepResult(outcome: outcome, sentCount: sentCount)
            case .noRoom:
                if let outcome = await waitForRoom() { return StepResult(outcome: outcome, sentCount: sentCount) }
            }
        }
        return StepResult(sentCount: sentCount)
    }

    private enum SendEvent {
        case sent(Int), noRoom
        case failed(DialogOutcome)
    }

    /// Sends once. If there is no room, it receives what is there.
    @inline(never)
    private func sendOnce(_ bytes: ArraySlice<UInt8>) -> SendEvent {
        do throws(TLSTransferError) {
            return .sent(try sendNow(bytes))
        } catch {
            guard case .kernel(let errno) = error, errno.rawValue == EAGAIN else {
                return .failed(DialogOutcome(error))
            }
        }
        do throws(TLSTransferError) {
            try receiveWhileSending()
            return .noRoom
        } catch {
            return .failed(DialogOutcome(error))
        }
    }

    /// Receives what is there while a step sends, as far as the inbox has room: a peer that sends before it reads would
    /// otherwise wait for us.
    private func receiveWhileSending() throws(TLSTransferError) {
        guard !hasMessages else { return }
        do throws(TLSTransferError) {
            while !hasEnded, inbox.unmatchedCount <= DialogLimits.unmatchedBytes - DialogLimits.streamReceiveBytes {
                _ = try take()
            }
        } catch {
            guard case .kernel(let errno) = error, errno.rawValue == EAGAIN else { throw error }
        }
    }

    /// - Returns: nil if sending may work now.
    private func waitForRoom() async -> DialogOutcome? {
        do throws(SocketStream.Failure) {
            try await socket.wait(for: [.readable, .writable], until: deadline)
            return nil
        } catch {
            switch error {
            case .kernel(let error): return .failed(error)
            case .deadline: return .mismatch(hasReceived: hasReceivedInStep)
            case .cancelled: return .cancelled
            }
        }
    }
}

// What has to be received before TLS begins.
extension DialogStream {
    /// Receives the rest of the go-ahead whose beginning a step has matched: a peer that has not sent all of it does not
    /// expect the handshake yet, and its text is not part of TLS.
    ///
    /// A reply has an end, which this waits for. Other text may have none, such as PostgreSQL's `S` and the tags of XMPP: it
    /// ends when the stream is quiet.
    /// - Returns: nil if TLS may begin. If the stream has ended, the handshake reports it.
    func receiveGoAhead() async -> StepResult? {
        while !hasEnded {
            let goAhead = inbox.goAhead(hasMatched: hasMatched)
            if goAhead.isWhole { return nil }
            guard inbox.unmatchedCount < DialogLimits.unmatchedBytes else { return endlessGoAhead }
            let quiet = Clock.now().advanced(byMilliseconds: DialogLimits.quietMilliseconds)
            switch await receive(until: goAhead.isReply ? deadline : min(quiet, deadline)) {
            case .bytes, .endOfStream: continue
            case .deadline: return goAhead.isReply || Clock.now() >= deadline ? endlessGoAhead : nil
            case .failed(let outcome): return StepResult(outcome: outcome)
            }
        }
        return nil
    }

    private var endlessGoAhead: StepResult {
        StepResult(outcome: .mismatch(hasReceived: true), detail: "the line of its go-ahead for TLS has no end")
    }

    /// Why TLS must not begin: more bytes follow the peer's go-ahead. nil if it may.
    var injection: TLSHandshakeFailure? {
        let bytes = inbox.bytes[inbox.goAhead(hasMatched: hasMatched).end...]
        guard !bytes.isEmpty else { return nil }
        return TLSHandshakeFailure(
            .protocolViolation, message: "bytes follow its go-ahead for TLS",
            received: Array(bytes.prefix(DialogLimits.shownBytes)))
    }
}
