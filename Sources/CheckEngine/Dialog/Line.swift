internal import CheckModel
internal import CLinux
internal import SocketIO
internal import TLSClient

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
