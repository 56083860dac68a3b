import CLinux
import CheckModel
import SocketIO

/// A counter to wait on, across threads: eventfd(2) with EFD_SEMAPHORE.
struct Semaphore: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// - Throws: EMFILE, ENFILE, ENOMEM: eventfd(2).
    init() throws(Errno) {
        let number = eventfd(0, Int32(EFD_SEMAPHORE) | Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw .current }
        descriptor = Descriptor(adopting: number)
    }

    borrowing func signal() {
        var one: UInt64 = 1
        _ = write(descriptor.rawValue, &one, 8)
    }

    borrowing func wait() {
        var count: UInt64 = 0
        // EINTR: a signal that this program does not handle by ending; the wait goes on.
        while read(descriptor.rawValue, &count, 8) != 8 {}
    }

    /// Waits until `wait` would return at once, or another descriptor is readable, or the time has come; it may also return
    /// earlier.
    /// - Parameters:
    ///   - deadline: nil waits without an end.
    ///   - other: a descriptor; -1 for none.
    /// - Returns: whether `wait` would return at once.
    borrowing func isReady(until deadline: MonotonicTime?, orReadable other: Int32) -> Bool {
        var watched = [
            pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = deadline.map { max($0.since(Clock.now()), 0) / 1_000_000 + 1 }
        let count = poll(&watched, 2, milliseconds.map { Int32(clamping: $0) } ?? -1)
        return count > 0 && watched[0].revents != 0
    }
}
