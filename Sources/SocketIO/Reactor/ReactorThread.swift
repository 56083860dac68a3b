internal import CLinux
public import NetworkTypes
internal import Synchronization

/// One thread that runs jobs: the executor that all actors of a worker share.
///
/// `await` between actors of one worker runs inline, because they have the same executor. Create a task that uses a
/// worker with `Task(executorPreference: thread)`. Otherwise each of its waits goes through the global pool.
public final class ReactorThread: SerialExecutor, TaskExecutor {
    private struct Inbox {
        var jobs: [UnownedJob] = []
        /// Whether the thread sleeps in epoll_wait(2) or is about to: adding a job must wake it.
        var isAsleep = false
        /// Unused storage. Two buffers alternate, so that a turn allocates nothing.
        var spare: [UnownedJob] = []

        /// Takes an emptied buffer back, and returns the jobs that arrived in the meantime.
        mutating func exchange(_ batch: inout [UnownedJob]) {
            if batch.capacity > 0 { spare = batch }
            batch = []
            guard !jobs.isEmpty else { return }
            swap(&batch, &jobs)
            swap(&jobs, &spare)
        }
    }

    /// The worker's number, from 0.
    public let index: Int
    private let inbox = Mutex(Inbox())
    private let wakeup: Descriptor
    /// pthread_self(3) of the thread that runs the loop, as an integer; 0 before it runs.
    private let identity = Atomic<UInt>(0)
    private let sleeping = Atomic<Bool>(false)
    private let enqueues = Atomic<UInt64>(0)

    public init(index: Int) throws(Errno) {
        self.index = index
        let number = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw .current }
        wakeup = Descriptor(adopting: number)
    }

    /// The total number of enqueued jobs, which tests and benchmarks of the cost of a check use.
    public var enqueueCount: UInt64 { enqueues.load(ordering: .relaxed) }

    /// Whether the thread is idle. This is a hint, which can be outdated when it is read.
    public var isIdle: Bool { sleeping.load(ordering: .relaxed) }

    /// Whether the caller runs on this thread.
    public var isCurrent: Bool { identity.load(ordering: .relaxed) == Self.currentIdentity() }

    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        enqueues.add(1, ordering: .relaxed)
        let mustWake = inbox.withLock { inbox in
            inbox.jobs.append(unowned)
            defer { inbox.isAsleep = false }
            return inbox.isAsleep
        }
        if mustWake { wake() }
    }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    public func checkIsolated() {
        precondition(isCurrent, "not on the thread of worker \(index)")
    }

    /// Wakes the thread from a wait. It may be called on any thread.
    public func wake() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is full, so the thread is being woken already.
        _ = write(wakeup.rawValue, &one, 8)
    }

    private static func currentIdentity() -> UInt { UInt(pthread_self()) }
}

// Used by the reactor's loop, on its thread only.
extension ReactorThread {
    var wakeupNumber: Int32 { wakeup.rawValue }

    func adoptCurrentThread() {
        identity.store(Self.currentIdentity(), ordering: .relaxed)
    }

    /// The thread ends, and the system may give its identity to another one.
    func abandonCurrentThread() {
        identity.store(0, ordering: .relaxed)
    }

    /// Runs the jobs in the inbox, and those that they add, for a limited number of rounds. Otherwise a job that always
    /// adds another one would block the sockets.
    func runJobs() {
        var batch: [UnownedJob] = []
        for _ in 0..<64 {
            inbox.withLock { $0.exchange(&batch) }
            if batch.isEmpty { return }
            for job in batch {
                job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
            batch.removeAll(keepingCapacity: true)
        }
        inbox.withLock { $0.spare = batch }
    }

    /// Whether the thread may sleep. If so, adding a job wakes it from now on.
    func prepareToSleep() -> Bool {
        let maySleep = inbox.withLock { inbox in
            inbox.isAsleep = inbox.jobs.isEmpty
            return inbox.isAsleep
        }
        if maySleep { sleeping.store(true, ordering: .relaxed) }
        return maySleep
    }

    func woke() {
        sleeping.store(false, ordering: .relaxed)
        inbox.withLock { $0.isAsleep = false }
    }

    func clearWakeup() {
        var count: UInt64 = 0
        _ = read(wakeup.rawValue, &count, 8)
    }

    var hasJobs: Bool { inbox.withLock { !$0.jobs.isEmpty } }
}

/// A POSIX thread that runs a reactor's loop: pthread_create(3).
///
/// The thread inherits the signal mask of the thread that starts it: block unwanted signals before. Destroying this
/// value waits until the thread has ended; do not do that on the reactor's own thread.
public struct WorkerThread: ~Copyable {
    private let handle: pthread_t
    private let reactor: Reactor

    /// Starts the thread.
    /// - Throws: EAGAIN if the system allows no more threads.
    public init(running reactor: Reactor) throws(Errno) {
        var handle = pthread_t()
        let argument = Unmanaged.passRetained(reactor)
        let result = pthread_create(&handle, nil, runReactor, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw Errno(result)
        }
        self.handle = handle
        self.reactor = reactor
    }

    deinit {
        reactor.stop()
        pthread_join(handle, nil)
    }

    /// Stops the reactor and waits until its thread has ended.
    public consuming func stopAndJoin() {
        // `deinit` does it, here and on every other exit.
    }
}

private func runReactor(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // SAFETY: the pointer comes from `passRetained` in the initializer, and is taken back once, here.
    Unmanaged<Reactor>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
