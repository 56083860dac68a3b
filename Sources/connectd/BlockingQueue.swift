import CLinux
import CheckModel
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
