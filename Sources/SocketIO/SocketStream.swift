internal import CLinux
public import NetworkTypes

/// A connected socket for the task that uses it: tries each operation at once, and waits for the socket only after EAGAIN.
///
/// The reactor reports edges. A task that waited before EAGAIN would miss what came earlier, and sleep until its deadline.
/// After some operations without a wait, other tasks get the thread: a peer that never stops sending must not keep it.
///
/// It is an object because the frames of functions that wait would otherwise contain copies of its members. It does not
/// own the descriptor, and must not outlive it. Use it in one task, on the reactor's thread.
public final class SocketStream {
    /// Why an operation did not succeed.
    public enum Failure: Error, Hashable, Sendable {
        /// recv(2) or send(2) failed; never EAGAIN or EINTR.
        case kernel(Errno)
        case deadline
        /// The task was cancelled, or the reactor was stopped.
        case cancelled
    }

    public let reactor: Reactor
    /// When all waits end.
    public var deadline: MonotonicTime
    /// Called with true before each wait for the socket, and with false after it.
    public var noteWait: ((_ isWaiting: Bool) -> Void)?
    let descriptor: Int32
    private let token: SlotToken
    private var usesWithoutWait = 0
    /// Whether anything was read from the socket, or waited for.
    private var hasRead = false

    /// So many operations without a wait give other tasks of the thread a turn.
    private static let usesOfTurn = 4

    /// - Parameters:
    ///   - descriptor: non-blocking, connected, owned by the caller.
    ///   - token: the descriptor's registration for `anything`.
    public init(on descriptor: Int32, token: SlotToken, reactor: Reactor, until deadline: MonotonicTime) {
        self.descriptor = descriptor
        self.token = token
        self.reactor = reactor
        self.deadline = deadline
    }

    /// Receives at most `capacity` bytes.
    /// - Returns: the received bytes; empty at EOF.
    public func receive(atMost capacity: Int) async throws(Failure) -> [UInt8] {
        while true {
            try await awaitTurn()
            do throws(Errno) {
                return try receiveNow(atMost: capacity)
            } catch {
                try await recover(from: error, for: .readable, until: deadline)
            }
        }
    }

    /// Sends all bytes.
    public func send(_ bytes: [UInt8]) async throws(Failure) {
        var sentCount = 0
        while sentCount < bytes.count {
            try await awaitTurn()
            do throws(Errno) {
                sentCount += try sendNow(bytes[sentCount...])
            } catch {
                try await recover(from: error, for: .writable, until: deadline)
            }
        }
    }
}

// For loops whose operation is not a plain recv(2) or send(2), such as one through TLS: `awaitTurn`, the operation, and
// `recover` if it fails.
extension SocketStream {
    /// Gives other tasks a turn if this one had several operations without a wait. Call it before each operation.
    /// - Throws: `cancelled`; `deadline`, but not before the first operation after a wait.
    public func awaitTurn() async throws(Failure) {
        if Task.isCancelled { throw .cancelled }
        if usesWithoutWait > 0, Clock.now() >= deadline { throw .deadline }
        if usesWithoutWait >= Self.usesOfTurn { await yieldTurn() }
        usesWithoutWait += 1
    }

    /// Waits until the operation is worth repeating, if its error is EAGAIN.
    /// - Parameter limit: when the wait ends, in place of `deadline`.
    /// - Throws: `kernel` for any other error than EAGAIN.
    public func recover(
        from error: Errno, for interest: Readiness, until limit: MonotonicTime
    ) async throws(Failure) {
        guard error.rawValue == EAGAIN else { throw .kernel(error) }
        try await wait(for: interest, until: limit)
    }

    /// Waits for the socket. Call it only after EAGAIN, or if what is there is not enough.
    public func wait(for interest: Readiness, until limit: MonotonicTime) async throws(Failure) {
        usesWithoutWait = 0
        hasRead = true
        noteWait?(true)
        defer { noteWait?(false) }
        switch await reactor.waitOnThread(token, for: interest, until: limit) {
        case .ready: return
        case .deadline: throw .deadline
        case .cancelled: throw .cancelled
        }
    }

    /// Waits until the peer's first bytes have come. No edge can be missed then, so no look at the socket comes before.
    /// Does nothing if the socket was read before.
    public func waitForFirstBytes(until limit: MonotonicTime) async throws(Failure) {
        guard !hasRead else { return }
        try await wait(for: .readable, until: limit)
    }

    /// Lets everything else on the thread run once, the reactor's sockets included.
    public func yieldTurn() async {
        usesWithoutWait = 0
        _ = await reactor.sleep(until: Clock.now())
    }

    /// What ends every operation now; nil if there is nothing.
    public var interruption: Failure? {
        if Task.isCancelled { return .cancelled }
        return Clock.now() >= deadline ? .deadline : nil
    }

    /// getsockname(2); nil if the socket has no IP address.
    public func localName() -> IPEndpoint? { Socket.localName(of: descriptor) }

    /// recv(2), once.
    /// - Returns: the received bytes; empty at EOF and for an empty datagram.
    /// - Throws: EAGAIN if there is no data; a pending error of the connection.
    public func receiveNow(atMost capacity: Int) throws(Errno) -> [UInt8] {
        hasRead = true
        return try Self.repeatingInterrupted { () throws(Errno) in
            try SystemCall.receive(from: descriptor, atMost: capacity)
        }
    }

    /// send(2), once, without SIGPIPE.
    /// - Returns: how many bytes the kernel accepted.
    /// - Throws: EAGAIN if the socket has no room; a pending error of the connection.
    public func sendNow(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        try Self.repeatingInterrupted { () throws(Errno) in try SystemCall.send(bytes, to: descriptor) }
    }

    /// recv(2) with MSG_PEEK, once: the bytes stay in the kernel.
    /// - Returns: at most `capacity` bytes; empty at EOF.
    /// - Throws: EAGAIN if there is no data; a pending error of the connection.
    public func peekNow(atMost capacity: Int) throws(Errno) -> [UInt8] {
        hasRead = true
        return try Self.repeatingInterrupted { () throws(Errno) in
            try SystemCall.receive(from: descriptor, atMost: capacity, flags: Int32(MSG_PEEK))
        }
    }

    private static func repeatingInterrupted<Value>(_ call: () throws(Errno) -> Value) throws(Errno) -> Value {
        while true {
            do throws(Errno) {
                return try call()
            } catch {
                guard error.rawValue == EINTR else { throw error }
            }
        }
    }
}
