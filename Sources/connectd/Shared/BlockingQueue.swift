import CLinux
import NetworkTypes
import SocketIO
import Synchronization

/// A queue from the workers to the main thread, which blocks until a value arrives.
final class BlockingQueue<Element: Sendable>: Sendable {
    /// The reason why a wait ended.
    enum Wake {
        case element(Element)
        case signal(Int32)
        case deadline
    }

    private let elements = Mutex<[Element]>([])
    private let count: Semaphore

    /// - Throws: EMFILE, ENFILE or ENOMEM: it needs a descriptor.
    init() throws(Errno) {
        count = try Semaphore()
    }

    func append(_ element: Element) {
        elements.withLock { $0.append(element) }
        count.signal()
    }

    /// Waits for the next value, in FIFO order.
    func next() -> Element {
        count.wait()
        return elements.withLock { $0.removeFirst() }
    }

    /// Waits for the next value, a signal (which takes precedence) or the deadline.
    /// - Parameter deadline: nil waits forever.
    func next(until deadline: MonotonicTime?, or interrupts: borrowing Interrupts) -> Wake {
        while true {
            let isReady = count.isReady(until: deadline, orReadable: interrupts.rawDescriptor)
            if let number = interrupts.take() { return .signal(number) }
            if isReady { return .element(next()) }
            if let deadline, Clock.now() >= deadline { return .deadline }
        }
    }
}

/// A semaphore for threads that poll(2) can wait on: eventfd(2) with EFD_SEMAPHORE.
struct Semaphore: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// - Throws: EMFILE, ENFILE or ENOMEM from eventfd(2).
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
        // After EINTR it waits again: the signal did not end the process.
        while read(descriptor.rawValue, &count, 8) != 8 {}
    }

    /// Waits until `wait` would return at once, another descriptor is readable, or the deadline passed. It may return
    /// early.
    /// - Parameters:
    ///   - deadline: nil waits forever.
    ///   - other: Another descriptor; -1 for none.
    /// - Returns: Whether `wait` would return at once.
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
