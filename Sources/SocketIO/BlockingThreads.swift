internal import CLinux
public import NetworkTypes
internal import Synchronization

/// A thread pool for calls that may block forever, such as opening a path on a file system that does not answer.
///
/// Threads are started on demand, up to a limit, and kept. Work belongs to a group, such as one rule. A group cannot
/// use more threads than it leaves for the others, so a hanging group does not block them. Groups that may hang use at most
/// an eighth of the threads each, and three quarters together.
public final class BlockingThreads: Sendable {
    public enum WorkResult<Value: Sendable>: Sendable {
        case finished(Value)
        /// The deadline passed while the work ran. It continues to run, and its value is discarded.
        case deadline
        /// The deadline passed before a thread was free; the work never runs.
        case neverBegan
        case cancelled
    }

    private let crew: Crew

    /// - Parameters:
    ///   - limit: The maximum number of threads, at least 1.
    ///   - niceness: What is added to the nice value of each thread, 0 … 19.
    /// - Throws: EMFILE, ENFILE, ENOMEM.
    public init(limit: Int = 64, niceness: Int32 = 0) throws(Errno) {
        crew = try Crew(limit: limit, niceness: niceness)
    }

    deinit {
        crew.close()
    }

    /// The current number of threads.
    public var threadCount: Int { crew.threadCount }

    /// Runs the work on one of the threads, and waits for it until the deadline. Call it from a task that prefers the
    /// reactor's thread.
    /// - Parameter mayHang: whether the work depends on a server that may never answer, such as one of files.
    public func run<Value: Sendable>(
        inGroup group: Int, mayHang: Bool = false, on reactor: Reactor, until deadline: MonotonicTime,
        isolation: isolated (any Actor)? = #isolation, _ work: @escaping @Sendable () -> Value
    ) async -> WorkResult<Value> {
        let handover = Handover<Value>()
        let identifier = crew.add(group, mayHang: mayHang) { handover.deliver(work()) }
        switch await handover.wait(on: reactor, until: deadline) {
        case .delivered(let value): return .finished(value)
        case .deadline: return crew.withdraw(identifier) ? .neverBegan : .deadline
        case .cancelled:
            _ = crew.withdraw(identifier)
            return .cancelled
        }
    }
}

/// The state that the threads share. It outlives the pool while a thread hangs.
private final class Crew: Sendable {
    private struct Work {
        let identifier: UInt64
        let group: Int
        let mayHang: Bool
        let run: @Sendable () -> Void
    }

    private struct State {
        var waiting: [Work] = []
        var running: [Int: Int] = [:]
        var runningCount = 0
        /// The running work that may hang.
        var hangingCount = 0
        var threadCount = 0
        /// Threads that wait for work or are about to.
        var idleCount = 0
        var lastIdentifier: UInt64 = 0
        var isClosed = false

        /// Removes and returns the first work whose group may use another thread.
        mutating func next(limit: Int) -> Work? {
            let index = waiting.firstIndex { mayRun($0, limit: limit) }
            guard let index else { return nil }
            let work = waiting.remove(at: index)
            running[work.group, default: 0] += 1
            runningCount += 1
            if work.mayHang { hangingCount += 1 }
            idleCount -= 1
            return work
        }

        private func mayRun(_ work: Work, limit: Int) -> Bool {
            let ofGroup = running[work.group, default: 0]
            guard ofGroup < max(limit - runningCount, 1) else { return false }
            return !work.mayHang || ofGroup < max(limit / 8, 1) && hangingCount < max(limit * 3 / 4, 1)
        }

        mutating func finished(_ work: Work) {
            let left = running[work.group, default: 1] - 1
            running[work.group] = left > 0 ? left : nil
            runningCount -= 1
            if work.mayHang { hangingCount -= 1 }
            idleCount += 1
        }
    }

    private let limit: Int
    private let niceness: Int32
    private let state = Mutex(State())
    /// EFD_SEMAPHORE of eventfd(2): one count for each piece of work.
    private let signal: Descriptor

    init(limit: Int, niceness: Int32) throws(Errno) {
        self.limit = limit
        self.niceness = niceness
        let number = eventfd(0, Int32(EFD_SEMAPHORE) | Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw .current }
        signal = Descriptor(adopting: number)
    }

    var threadCount: Int { state.withLock { $0.threadCount } }

    func add(_ group: Int, mayHang: Bool, _ run: @escaping @Sendable () -> Void) -> UInt64 {
        let (identifier, needsThread) = state.withLock { state in
            state.lastIdentifier += 1
            state.waiting.append(Work(identifier: state.lastIdentifier, group: group, mayHang: mayHang, run: run))
            let needsThread = state.waiting.count > state.idleCount && state.threadCount < limit
            if needsThread {
                state.threadCount += 1
                state.idleCount += 1
            }
            return (state.lastIdentifier, needsThread)
        }
        if needsThread, !start() {
            // The existing threads take the waiting work, or it ends at its deadline.
            state.withLock { state in
                state.threadCount -= 1
                state.idleCount -= 1
            }
        }
        post(1)
        return identifier
    }

    /// - Returns: Whether the work had not started.
    func withdraw(_ identifier: UInt64) -> Bool {
        state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.identifier == identifier }) else { return false }
            state.waiting.remove(at: index)
            return true
        }
    }

    /// Makes each thread end when its work is done.
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

    /// Runs work on the calling thread until `close`.
    func serve() {
        if niceness > 0 { connectd_lower_priority(niceness) }
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
        // The call depth is small, so a small stack is enough: many threads may hang.
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
