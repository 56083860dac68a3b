internal import CLinux
public import NetworkTypes
internal import Synchronization

/// Threads for calls that may block without end, as opening a path on a file system that does not answer.
///
/// They are made when they are needed, up to a limit, and kept. Work belongs to a group, for example to one rule. No group
/// may have more threads than are left for the others, so one that hangs leaves some to the rest.
public final class BlockingThreads: Sendable {
    public enum Ending<Value: Sendable>: Sendable {
        case finished(Value)
        /// The deadline came while the work ran. It goes on by itself, and what it returns is let go.
        case deadline
        /// The deadline came before a thread was free; the work never runs.
        case neverBegan
        case cancelled
    }

    private let crew: Crew

    /// - Parameter limit: how many threads there may be, at least 1.
    /// - Throws: EMFILE, ENFILE, ENOMEM.
    public init(limit: Int = 64) throws(Errno) {
        crew = try Crew(limit: limit)
    }

    deinit {
        crew.close()
    }

    /// How many threads there are.
    public var threadCount: Int { crew.threadCount }

    /// Runs the work on one of the threads, and waits for it until the deadline; from a task that prefers the reactor's
    /// thread.
    public func run<Value: Sendable>(
        inGroup group: Int, on reactor: Reactor, until deadline: MonotonicTime,
        isolation: isolated (any Actor)? = #isolation, _ work: @escaping @Sendable () -> Value
    ) async -> Ending<Value> {
        let handover = Handover<Value>()
        let identifier = crew.add(group) { handover.deliver(work()) }
        switch await handover.wait(on: reactor, until: deadline) {
        case .delivered(let value): return .finished(value)
        case .deadline: return crew.withdraw(identifier) ? .neverBegan : .deadline
        case .cancelled:
            _ = crew.withdraw(identifier)
            return .cancelled
        }
    }
}

/// What the threads share, and outlives their owner for as long as one of them hangs.
private final class Crew: Sendable {
    private struct Work {
        let identifier: UInt64
        let group: Int
        let run: @Sendable () -> Void
    }

    private struct State {
        var waiting: [Work] = []
        var running: [Int: Int] = [:]
        var runningCount = 0
        var threadCount = 0
        /// Threads that wait for work, or are about to look for it.
        var idleCount = 0
        var lastIdentifier: UInt64 = 0
        var isClosed = false

        /// The first work whose group may have another thread.
        mutating func next(limit: Int) -> Work? {
            let index = waiting.firstIndex { work in
                running[work.group, default: 0] < max(limit - runningCount, 1)
            }
            guard let index else { return nil }
            let work = waiting.remove(at: index)
            running[work.group, default: 0] += 1
            runningCount += 1
            idleCount -= 1
            return work
        }

        mutating func finished(_ work: Work) {
            let left = running[work.group, default: 1] - 1
            running[work.group] = left > 0 ? left : nil
            runningCount -= 1
            idleCount += 1
        }
    }

    private let limit: Int
    private let state = Mutex(State())
    /// EFD_SEMAPHORE of eventfd(2): one count for each piece of work.
    private let signal: Descriptor

    init(limit: Int) throws(Errno) {
        self.limit = limit
        let number = eventfd(0, Int32(EFD_SEMAPHORE) | Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw .current }
        signal = Descriptor(adopting: number)
    }

    var threadCount: Int { state.withLock { $0.threadCount } }

    func add(_ group: Int, _ run: @escaping @Sendable () -> Void) -> UInt64 {
        let (identifier, needsThread) = state.withLock { state in
            state.lastIdentifier += 1
            state.waiting.append(Work(identifier: state.lastIdentifier, group: group, run: run))
            let needsThread = state.waiting.count > state.idleCount && state.threadCount < limit
            if needsThread {
                state.threadCount += 1
                state.idleCount += 1
            }
            return (state.lastIdentifier, needsThread)
        }
        if needsThread, !start() {
            // What waits is taken by the threads that there are, or ends at its deadline.
            state.withLock { state in
                state.threadCount -= 1
                state.idleCount -= 1
            }
        }
        post(1)
        return identifier
    }

    /// - Returns: whether the work had not begun.
    func withdraw(_ identifier: UInt64) -> Bool {
        state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.identifier == identifier }) else { return false }
            state.waiting.remove(at: index)
            return true
        }
    }

    /// Lets the threads end, each when its work is done.
    func close() {
        let count = state.withLock { state in
            state.isClosed = true
            return state.threadCount
        }
        post(count)
    }

    private func post(_ count: Int) {
        var count = UInt64(count)
        _ = write(signal.rawValue, &count, 8)
    }

    /// What a thread does all its life.
    func serve() {
        while true {
            var count: UInt64 = 0
            _ = read(signal.rawValue, &count, 8)
            while let work = state.withLock({ $0.next(limit: limit) }) {
                work.run()
                state.withLock { $0.finished(work) }
            }
            if state.withLock({ $0.isClosed }) { return }
        }
    }

    /// pthread_create(3), detached: a thread that hangs is never waited for.
    private func start() -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // A few calls deep: as many as may hang shall take little memory.
        pthread_attr_setstacksize(&attributes, 256 << 10)
        var handle = pthread_t()
        let argument = Unmanaged.passRetained(self)
        let result = pthread_create(&handle, &attributes, runCrew, argument.toOpaque())
        if result != 0 { argument.release() }
        return result == 0
    }
}

private func runCrew(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // SAFETY: the pointer comes from `passRetained` in `start`, and is taken back once, here.
    Unmanaged<Crew>.fromOpaque(argument).takeRetainedValue().serve()
    return nil
}
