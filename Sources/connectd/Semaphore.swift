import CLinux
import SocketIO

/// A counter to wait on, across threads: eventfd(2) with EFD_SEMAPHORE.
struct Semaphore: ~Copyable, Sendable {
    private let descriptor: Descriptor

    init() {
        let number = eventfd(0, Int32(EFD_SEMAPHORE) | Int32(EFD_CLOEXEC))
        precondition(number >= 0, "no descriptor for a semaphore")
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
}
