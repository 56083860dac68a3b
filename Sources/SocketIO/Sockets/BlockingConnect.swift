package import CheckModel
internal import CLinux

/// A connect for callers without a reactor: it blocks the calling thread.
package enum BlockingConnect {
    /// Connects, and waits for the end as the manual page's example does: where a signal interrupts connect(2), the
    /// attempt goes on by itself, so poll(2) waits for writability, and SO_ERROR tells how it ended.
    ///
    /// - Parameter timeoutMilliseconds: for the wait behind an interruption or EINPROGRESS; -1 waits without end.
    /// - Throws: the errno of the attempt; EINPROGRESS if it is still under way at the end of the time.
    package static func connect(
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
                guard error.rawValue == EINTR else { throw error }
            }
        }
    }

    private static func finish(_ socket: borrowing Socket, timeoutMilliseconds: Int32) throws(Errno) {
        var entry = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
        var count = poll(&entry, 1, timeoutMilliseconds)
        // A further signal interrupts poll(2) as well; the attempt does not notice.
        while count < 0, Errno.current.rawValue == EINTR { count = poll(&entry, 1, timeoutMilliseconds) }
        guard count >= 0 else { throw .current }
        guard count > 0 else { throw Errno(EINPROGRESS) }
        if let error = try socket.takePendingError() { throw error }
    }
}
