import CLinux
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TLS

/// One end of a conversation: what was heard, and how to hear and say more.
///
/// The socket is always used first and waited for only behind EAGAIN, so no edge of its readiness is missed.
struct Line {
    enum Hearing {
        case news, ended, timeIsUp
        /// Nothing more is heard, for that reason.
        case over(DialogEnding)
    }

    let reactor: Reactor
    let token: SlotToken
    let deadline: MonotonicTime
    let isDatagram: Bool
    /// Messages have ends of their own: datagrams, and the packets of SOCK_SEQPACKET.
    let hasMessages: Bool
    /// What everything goes through once TLS has begun.
    private(set) var channel: TLSChannel?
    var inbox = Inbox()
    /// The patterns that must not match before the next expectation is met, by their steps.
    var rejects: [(step: Int, pattern: Pattern)] = []
    var budget = MatchBudget()
    /// The peer has said something.
    private(set) var heard = false
    /// The same since the last step that expects.
    private(set) var hasHeardInStep = false
    /// The stream has ended.
    private(set) var hasEnded = false
    /// An expectation was met.
    private(set) var hasMatched = false
    private var receivesWithoutWait = 0
    /// What came since the last step that expects.
    private var receivedCount = 0
    private var received: [UInt8] = []

    init(
        reactor: Reactor, token: SlotToken, deadline: MonotonicTime, kind: SocketKind, isDatagram: Bool,
        channel: TLSChannel?
    ) {
        self.channel = channel
        self.reactor = reactor
        self.token = token
        self.deadline = deadline
        self.isDatagram = isDatagram
        hasMessages = isDatagram || kind == .unix(.seqpacket)
    }

    /// Receives once, and waits for that until `limit` where nothing is there.
    mutating func hear(on socket: borrowing Socket, until limit: MonotonicTime) async -> Hearing {
        while true {
            // A peer that never stops talking must not let the deadline pass, nor keep the thread.
            if receivesWithoutWait > 0, Clock.now() >= deadline { return .timeIsUp }
            if Task.isCancelled { return .over(.cancelled) }
            if receivesWithoutWait >= DialogLimits.receivesOfTurn { await yieldTurn() }
            do throws(TLSTransferError) {
                return try receive(from: socket) ? .news : .ended
            } catch {
                switch error {
                case .kernel(let error) where error.rawValue == EINTR: continue
                case .kernel(let error) where error.rawValue == EAGAIN: break
                case .kernel, .tls: return .over(DialogEnding(error))
                }
            }
            receivesWithoutWait = 0
            switch await reactor.waitOnThread(token, for: .readable, until: limit) {
            case .ready: continue
            case .deadline: return .timeIsUp
            case .cancelled: return .over(.cancelled)
            }
        }
    }

    /// Lets everybody else on the thread run, the reactor's sockets included.
    mutating func yieldTurn() async {
        receivesWithoutWait = 0
        _ = await reactor.sleep(until: Clock.now())
    }

    /// Takes what is there.
    /// - Returns: false at the end of the stream.
    private mutating func receive(from socket: borrowing Socket) throws(TLSTransferError) -> Bool {
        let bytes = try receiveBytes(from: socket)
        receivesWithoutWait += 1
        if bytes.isEmpty, !isDatagram {
            hasEnded = true
            return false
        }
        heard = true
        hasHeardInStep = true
        receivedCount += bytes.count
        received += bytes.prefix(DialogLimits.shownBytes - received.count)
        inbox.append(bytes)
        return true
    }

    private func receiveBytes(from socket: borrowing Socket) throws(TLSTransferError) -> [UInt8] {
        let capacity = hasMessages ? DialogLimits.messageReceiveBytes : DialogLimits.streamReceiveBytes
        if let channel { return try channel.receive(from: socket, atMost: capacity) }
        do throws(Errno) { return try socket.receive(atMost: capacity) } catch { throw .kernel(error) }
    }

    /// Sends what the kernel takes of `bytes`, through TLS where that has begun.
    func transmit(_ bytes: ArraySlice<UInt8>, on socket: borrowing Socket) throws(TLSTransferError) -> Int {
        if let channel { return try channel.send(bytes, on: socket) }
        do throws(Errno) { return try socket.send(bytes) } catch { throw .kernel(error) }
    }

    /// From here on everything goes through TLS. What came before it is forgotten: whoever can write into the plaintext must
    /// not be able to answer for the peer (RFC 3207, 6).
    mutating func secure(by channel: TLSChannel) {
        self.channel = channel
        inbox = Inbox()
        if !rejects.isEmpty { inbox.keepForRejects() }
    }

    /// Takes what is there while a step sends, as far as there is room: a peer that sends before it reads must not
    /// be blocked by us.
    mutating func overhear(on socket: borrowing Socket) throws(TLSTransferError) {
        guard !hasMessages else { return }
        do throws(TLSTransferError) {
            while !hasEnded, inbox.unmatchedCount <= DialogLimits.unmatchedBytes - DialogLimits.streamReceiveBytes {
                _ = try receive(from: socket)
            }
        } catch {
            guard case .kernel(let errno) = error, errno.rawValue == EAGAIN || errno.rawValue == EINTR else {
                throw error
            }
        }
        receivesWithoutWait = 0
    }

    /// An expectation was met: what it matched is done with, and nothing is rejected any more.
    mutating func meet(_ result: StepResult) {
        guard result.ending == nil else { return }
        hasMatched = true
        inbox.consume(to: result.end)
        disarm()
    }

    mutating func report(of step: CompiledStep, _ result: StepResult, since begin: MonotonicTime) -> DialogStepReport {
        var report = DialogStepReport(
            kind: step.kind, ok: result.ending == nil, durationNanoseconds: Clock.now().since(begin),
            bytes: result.sentCount, received: nil)
        report.detail = result.detail
        switch step {
        case .send, .sendBytes, .sendLine: break
        case .reject where result.ending == nil: break
        // Nobody is interested in the rest of a line once TLS has begun.
        case .startTLS where result.detail == nil, .startTLSAgain: takeReceived()
        case .expect, .expectBytes, .expectLine, .expectExactly, .reject, .startTLS:
            (report.bytes, report.received) = takeReceived()
        }
        return report
    }

    @discardableResult private mutating func takeReceived() -> (Int, [UInt8]) {
        defer { (receivedCount, received, hasHeardInStep) = (0, [], false) }
        return (receivedCount, received)
    }
}

// Steps that send.
extension Line {
    /// Sends all bytes behind the first `start`, in as many calls as a stream needs, or as one message.
    mutating func send(_ bytes: [UInt8], from start: Int, on socket: borrowing Socket) async -> StepResult {
        var result = StepResult(sentCount: start)
        var isDone = !hasMessages && start == bytes.count
        while !isDone {
            if Task.isCancelled {
                result.ending = .cancelled
                return result
            }
            do throws(TLSTransferError) {
                result.sentCount += try transmit(bytes[result.sentCount...], on: socket)
                isDone = result.sentCount == bytes.count
            } catch {
                result.ending = await recover(from: error, on: socket)
                if result.ending != nil { return result }
            }
        }
        return result
    }

    /// Waits for room.
    /// - Returns: nil where sending can go on.
    private mutating func recover(from error: TLSTransferError, on socket: borrowing Socket) async -> DialogEnding? {
        switch error {
        case .kernel(let error) where error.rawValue == EINTR: return nil
        case .kernel(let error) where error.rawValue == EAGAIN: break
        case .kernel, .tls: return DialogEnding(error)
        }
        do throws(TLSTransferError) { try overhear(on: socket) } catch { return DialogEnding(error) }
        switch await reactor.waitOnThread(token, for: [.readable, .writable], until: deadline) {
        case .ready: return nil
        case .deadline: return .mismatch(heard: hasHeardInStep)
        case .cancelled: return .cancelled
        }
    }
}

// What has to be heard before TLS begins.
extension Line {
    /// Hears the rest of the go-ahead of which a step has matched the beginning: a peer that is not done with it would not
    /// take the handshake for one, nor we its words.
    ///
    /// A reply has an end, which is waited for. Other text may have none, such as PostgreSQL's `S` and the tags of XMPP: there
    /// it is over when the stream is quiet.
    /// - Returns: nil where TLS may begin; a stream that has ended is left to the handshake.
    mutating func hearGoAhead(on socket: borrowing Socket) async -> StepResult? {
        while !hasEnded {
            let goAhead = inbox.goAhead(hasMatched: hasMatched)
            if goAhead.isWhole { return nil }
            guard inbox.unmatchedCount < DialogLimits.unmatchedBytes else { return endless }
            let quiet = Clock.now().advanced(byMilliseconds: DialogLimits.quietMilliseconds)
            switch await hear(on: socket, until: goAhead.isReply ? deadline : min(quiet, deadline)) {
            case .news, .ended: continue
            case .timeIsUp: return goAhead.isReply || Clock.now() >= deadline ? endless : nil
            case .over(let ending): return StepResult(ending: ending)
            }
        }
        return nil
    }

    private var endless: StepResult {
        StepResult(ending: .mismatch(heard: true), detail: "the line of its go-ahead for TLS has no end")
    }

    /// Why TLS must not begin: what was heard already goes on behind the peer's go-ahead. nil where it may.
    var injection: TLSHandshakeFailure? {
        let bytes = inbox.bytes[inbox.goAhead(hasMatched: hasMatched).end...]
        guard !bytes.isEmpty else { return nil }
        return TLSHandshakeFailure(
            .protocolViolation, message: "there is something behind its go-ahead for TLS",
            received: Array(bytes.prefix(DialogLimits.shownBytes)))
    }
}
