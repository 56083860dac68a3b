internal import CLinux
public import NetworkTypes

/// A connect for callers without a reactor: it blocks the calling thread.
public enum BlockingConnect {
    /// Connects, and waits for the result as in the manual page's example: if a signal interrupts connect(2), the
    /// attempt continues, so poll(2) waits for writability, and SO_ERROR has the result.
    ///
    /// If an attempt is already in progress on the socket (EALREADY), it waits for that attempt.
    /// - Parameter timeoutMilliseconds: The limit for the wait after an interruption or EINPROGRESS; -1 for no limit.
    /// - Throws: The errno of the attempt; EINPROGRESS if it has not finished in time.
    public static func connect(
        _ socket: borrowing Socket, to endpoint: Endpoint, timeoutMilliseconds: Int32 = -1
    ) throws(Errno) {
        switch try start(socket, to: endpoint) {
        case .complete: return
        case .inProgress: try finish(socket, timeoutMilliseconds: timeoutMilliseconds)
        }
    }

    /// A signal aborts a UNIX-domain connect that waits for room in a backlog, so it is started again.
    private static func start(_ socket: borrowing Socket, to endpoint: Endpoint) throws(Errno) -> ConnectStart {
        while true {
            do throws(Errno) {
                return try socket.connect(to: endpoint)
            } catch {
                switch error.rawValue {
                case EALREADY: return .inProgress
                case EINTR: continue
                default: throw error
                }
            }
        }
    }

    /// Waits for an attempt in progress on an internet socket.
    ///
    /// - Parameter timeoutMilliseconds: -1 waits without a limit. Signals do not extend the wait.
    /// - Throws: the errno of the attempt; EINPROGRESS if it has not finished in time; ENOTCONN if no attempt was in
    /// progress, or if its error was already read.
    public static func finish(_ socket: borrowing Socket, timeoutMilliseconds: Int32 = -1) throws(Errno) {
        guard try waitUntilWritable(socket.number, timeoutMilliseconds) else { throw Errno(EINPROGRESS) }
        if let error = try socket.takePendingError() { throw error }
        // A socket that is not connecting is "writable" too, without an error.
        guard socket.peerName() != nil else { throw Errno(ENOTCONN) }
    }

    /// poll(2). A signal interrupts it, but not the attempt, so it waits for the remaining time.
    private static func waitUntilWritable(_ number: Int32, _ timeoutMilliseconds: Int32) throws(Errno) -> Bool {
        let deadline = Clock.now().advanced(byMilliseconds: Int(timeoutMilliseconds))
        var remaining = timeoutMilliseconds
        while true {
            var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            let count = poll(&entry, 1, remaining)
            if count >= 0 { return count > 0 }
            let error = Errno.current
            guard error.rawValue == EINTR else { throw error }
            guard timeoutMilliseconds >= 0 else { continue }
            // Rounded up, so that the wait is never too short.
            remaining = Int32(clamping: (max(0, deadline.since(Clock.now())) + 999_999) / 1_000_000)
        }
    }
}
