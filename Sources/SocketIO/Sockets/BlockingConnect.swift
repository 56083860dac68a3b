internal import CLinux
public import NetworkTypes

/// A connect for callers without a reactor: it blocks the calling thread.
public enum BlockingConnect {
    /// Connects, and waits for the end as the manual page's example does: where a signal interrupts connect(2), the
    /// attempt goes on by itself, so poll(2) waits for writability, and SO_ERROR tells how it ended.
    ///
    /// On a socket whose attempt is under way already (EALREADY), that attempt is waited for.
    /// - Parameter timeoutMilliseconds: for the wait behind an interruption or EINPROGRESS; -1 waits without end.
    /// - Throws: the errno of the attempt; EINPROGRESS if it is still under way at the end of the time.
    public static func connect(
        _ socket: borrowing Socket, to endpoint: Endpoint, timeoutMilliseconds: Int32 = -1
    ) throws(Errno) {
        switch try start(socket, to: endpoint) {
        case .complete: return
        case .inProgress: try finish(socket, timeoutMilliseconds: timeoutMilliseconds)
        }
    }

    /// A UNIX-domain connect that waits for room in a backlog is over when a signal comes: it is begun again.
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

    /// Waits for the end of an attempt that is under way on an internet socket.
    ///
    /// - Parameter timeoutMilliseconds: -1 waits without end. Signals do not make it longer.
    /// - Throws: the errno of the attempt; EINPROGRESS if it is still under way at the end of the time; ENOTCONN where
    ///   none was, or its error was taken before.
    public static func finish(_ socket: borrowing Socket, timeoutMilliseconds: Int32 = -1) throws(Errno) {
        guard try waitUntilWritable(socket.number, timeoutMilliseconds) else { throw Errno(EINPROGRESS) }
        if let error = try socket.takePendingError() { throw error }
        // A socket that is not connecting at all is "writable" as well, and without an error.
        guard socket.peerName() != nil else { throw Errno(ENOTCONN) }
    }

    /// poll(2). A signal interrupts it as well, which the attempt does not notice: the rest of the time is waited for.
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
            // Rounded up, so that the time is never cut short.
            remaining = Int32(clamping: (max(0, deadline.since(Clock.now())) + 999_999) / 1_000_000)
        }
    }
}
