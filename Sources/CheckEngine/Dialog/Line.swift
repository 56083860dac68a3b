internal import CheckModel
internal import CLinux
internal import SocketIO

/// One end of a conversation: what was heard, and how to hear and say more.
///
/// The socket is always used first and waited for only behind EAGAIN, so no edge of its readiness is missed.
struct Line {
    enum Hearing {
        case news, ended, timeIsUp, cancelled
        case failed(Errno)
    }

    let reactor: Reactor
    let token: SlotToken
    let deadline: MonotonicTime
    let isDatagram: Bool
    /// Messages have ends of their own: datagrams, and the packets of SOCK_SEQPACKET.
    let hasMessages: Bool
    var inbox = Inbox()
    var budget = MatchBudget()
    /// The peer has said something.
    private(set) var heard = false
    /// The stream has ended.
    private(set) var hasEnded = false
    private var receivesWithoutWait = 0
    /// What came since the last step that expects.
    private var receivedCount = 0
    private var received: [UInt8] = []

    init(reactor: Reactor, token: SlotToken, deadline: MonotonicTime, kind: SocketKind, isDatagram: Bool) {
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
            if Task.isCancelled { return .cancelled }
            if receivesWithoutWait >= DialogLimits.receivesOfTurn { await yieldTurn() }
            do throws(Errno) {
                return try receive(from: socket) ? .news : .ended
            } catch {
                switch error.rawValue {
                case EINTR: continue
                case EAGAIN: break
                case _: return .failed(error)
                }
            }
            receivesWithoutWait = 0
            switch await reactor.waitOnThread(token, for: .readable, until: limit) {
            case .ready: continue
            case .deadline: return .timeIsUp
            case .cancelled: return .cancelled
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
    private mutating func receive(from socket: borrowing Socket) throws(Errno) -> Bool {
        let capacity = hasMessages ? DialogLimits.messageReceiveBytes : DialogLimits.streamReceiveBytes
        let bytes = try socket.receive(atMost: capacity)
        receivesWithoutWait += 1
        if bytes.isEmpty, !isDatagram {
            hasEnded = true
            return false
        }
        heard = true
        receivedCount += bytes.count
        received += bytes.prefix(DialogLimits.shownBytes - received.count)
        inbox.append(bytes)
        return true
    }

    /// Takes what is there while a step sends, as far as there is room: a peer that sends before it reads must not
    /// be blocked by us.
    mutating func overhear(on socket: borrowing Socket) throws(Errno) {
        guard !hasMessages else { return }
        do throws(Errno) {
            while !hasEnded, inbox.unmatchedCount <= DialogLimits.unmatchedBytes - DialogLimits.streamReceiveBytes {
                _ = try receive(from: socket)
            }
        } catch {
            guard error.rawValue == EAGAIN || error.rawValue == EINTR else { throw error }
        }
        receivesWithoutWait = 0
    }

    mutating func report(of step: CompiledStep, _ result: StepResult, since begin: MonotonicTime) -> DialogStepReport {
        var report = DialogStepReport(
            kind: step.kind, ok: result.ending == nil, durationNanoseconds: Clock.now().since(begin),
            bytes: result.sentCount, received: nil)
        switch step {
        case .send, .sendBytes, .reject, .startTLS: break
        case .expect, .expectBytes:
            report.bytes = receivedCount
            report.received = received
            receivedCount = 0
            received = []
        }
        report.detail = result.detail
        return report
    }
}
