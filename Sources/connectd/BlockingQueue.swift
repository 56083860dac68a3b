import CLinux
import Synchronization

/// Hands values from the workers to the main thread, which waits for them.
final class BlockingQueue<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let count: Semaphore

    init() {
        count = Semaphore()
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
}
