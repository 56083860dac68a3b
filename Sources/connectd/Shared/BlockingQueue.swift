import CLinux
import NetworkTypes
import SocketIO
import Synchronization

/// Hands values from the workers to the main thread, which waits for them.
final class BlockingQueue<Element: Sendable>: Sendable {
    /// Why a wait ended.
    enum Wake {
        case element(Element)
        case signal(Int32)
        case deadline
    }

    private let elements = Mutex<[Element]>([])
    private let count: Semaphore

    /// - Throws: EMFILE, ENFILE, ENOMEM: it needs a descriptor.
    init() throws(Errno) {
        count = try Semaphore()
    }

    func append(_ element: Element) {
        elements.withLock { $0.append(element) }
        count.signal()
    }

    /// The next value, in the order of their coming.
    func next() -> Element {
        count.wait()
        return elements.withLock { $0.removeFirst() }
    }

    /// The next value, or a signal, which goes first, or the time that has come.
    /// - Parameter deadline: nil waits without an end.
    func next(until deadline: MonotonicTime?, or interrupts: borrowing Interrupts) -> Wake {
        while true {
            let isReady = count.isReady(until: deadline, orReadable: interrupts.rawDescriptor)
            if let number = interrupts.take() { return .signal(number) }
            if isReady { return .element(next()) }
            if let deadline, Clock.now() >= deadline { return .deadline }
        }
    }
}

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
