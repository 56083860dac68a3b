import CLinux
import DequeModule
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

    private struct State {
        var elements: Deque<Element> = []
        /// Elements taken since the last look for a signal.
        var takenCount = 0
    }

    /// A signal takes precedence, but a look for it is a system call.
    private static var elementsBetweenLooks: Int { 64 }

    private let state = Mutex(State())
    /// Signaled when the queue gets its first element. It may be signaled although the queue is empty.
    private let isFilled: Semaphore

    /// - Throws: EMFILE, ENFILE or ENOMEM: it needs a descriptor.
    init() throws(Errno) {
        isFilled = try Semaphore()
    }

    var isEmpty: Bool { state.withLock { $0.elements.isEmpty } }

    func append(_ element: Element) {
        let isFirst = state.withLock { state in
            state.elements.append(element)
            return state.elements.count == 1
        }
        if isFirst { isFilled.signal() }
    }

    /// Waits for the next value, in FIFO order.
    func next() -> Element {
        while true {
            if let element = state.withLock({ $0.elements.popFirst() }) { return element }
            isFilled.wait()
        }
    }

    /// Waits for the next value, a signal (which takes precedence) or the deadline.
    /// - Parameter deadline: nil waits forever.
    func next(until deadline: MonotonicTime?, or interrupts: borrowing Interrupts) -> Wake {
        while true {
            if let element = takeUnlessLookIsDue() { return .element(element) }
            if let number = interrupts.take() { return .signal(number) }
            if let element = state.withLock({ $0.elements.popFirst() }) { return .element(element) }
            let isReady = isFilled.isReady(until: deadline, orReadable: interrupts.rawDescriptor)
            // A signal from before the queue became empty is used up here.
            if isReady { isFilled.wait() } else if let deadline, Clock.now() >= deadline { return .deadline }
        }
    }

    private func takeUnlessLookIsDue() -> Element? {
        state.withLock { state in
            guard state.takenCount < Self.elementsBetweenLooks, let element = state.elements.popFirst() else {
                state.takenCount = 0
                return nil
            }
            state.takenCount += 1
            return element
        }
    }
}

/// A binary semaphore for threads that poll(2) can wait on: eventfd(2).
struct Semaphore: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// - Throws: EMFILE, ENFILE or ENOMEM from eventfd(2).
    init() throws(Errno) {
        let number = eventfd(0, Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw .current }
        descriptor = Descriptor(adopting: number)
    }

    borrowing func signal() {
        var one: UInt64 = 1
        _ = write(descriptor.rawValue, &one, 8)
    }

    /// Waits until it is signaled, and resets it.
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
