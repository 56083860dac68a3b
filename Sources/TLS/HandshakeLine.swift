import CLinux
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// How a handshake hears its peer: bounded in time, in bytes, and in how long it keeps the thread.
///
/// The socket is always used first and waited for only behind EAGAIN, so no edge of its readiness is missed.
struct HandshakeLine {
    enum Hearing {
        /// Something has come, or the socket has room again.
        case news
        case ended, timeIsUp
        case over(TLSHandshakeEnding)
    }

    let reactor: Reactor
    let token: SlotToken
    let deadline: MonotonicTime
    private var receivesWithoutWait = 0

    init(reactor: Reactor, token: SlotToken, deadline: MonotonicTime) {
        self.reactor = reactor
        self.token = token
        self.deadline = deadline
    }

    /// What ends the handshake whatever the peer does.
    var interruption: TLSHandshakeEnding? {
        if Task.isCancelled { return .cancelled }
        return Clock.now() >= deadline ? .deadline : nil
    }

    /// Gives the channel what has come, and waits for that until `limit` where nothing is there.
    mutating func hear(
        on socket: borrowing Socket, for channel: TLSChannel, until limit: MonotonicTime
    ) async -> Hearing {
        while true {
            if let ending = interruption { return .over(ending) }
            if receivesWithoutWait >= TLSLimits.receivesOfTurn { await yieldTurn() }
            do throws(Errno) {
                let bytes = try socket.receive(atMost: TLSLimits.receiveBytes)
                receivesWithoutWait += 1
                if bytes.isEmpty { return .ended }
                return channel.take(bytes).map { .over(.failed($0)) } ?? .news
            } catch {
                switch error.rawValue {
                case EINTR: continue
                case EAGAIN: break
                case _: return .over(.broken(error))
                }
            }
            receivesWithoutWait = 0
            let interest: Readiness = channel.outbox.isEmpty ? .readable : [.readable, .writable]
            switch await reactor.waitOnThread(token, for: interest, until: limit) {
            case .ready where channel.outbox.isEmpty: continue
            case .ready: return .news
            case .deadline: return .timeIsUp
            case .cancelled: return .over(.cancelled)
            }
        }
    }

    /// Lets everybody else on the thread run, the reactor's sockets included.
    private mutating func yieldTurn() async {
        receivesWithoutWait = 0
        _ = await reactor.sleep(until: Clock.now())
    }
}

extension TLSChannel {
    /// Takes what the peer has sent, within the handshake.
    /// - Returns: why it is not taken.
    fileprivate func take(_ bytes: [UInt8]) -> TLSHandshakeFailure? {
        receivedCount += bytes.count
        if let foreign = opening.foreignBytes(in: bytes) {
            return TLSHandshakeFailure(.notTLS, message: "what came is no TLS record", received: foreign)
        }
        guard receivedCount <= TLSLimits.handshakeBytes, session.feed(bytes) else { return breach(Self.flood) }
        return nil
    }
}
