internal import DNS
public import NetworkTypes
public import SocketIO
internal import Synchronization

/// The workers of the service, one thread each.
public final class WorkerPool: Sendable {
    public let workers: [Worker]
    public let admission: Admission
    /// Runs what would keep a worker busy for long, one after another and at a lower priority.
    public let longWork: BlockingThreads
    private let arrivals: ArrivalBalance
    private let progress: LoopProgress

    /// - Parameter count: at least 1.
    public init(count: Int, admission: Admission) throws(Errno) {
        var workers: [Worker] = []
        let blocking = try BlockingThreads()
        for index in 0..<count {
            workers.append(try Worker(index: index, admission: admission, blocking: blocking))
        }
        self.workers = workers
        longWork = try BlockingThreads(limit: 1, niceness: Self.longWorkNiceness)
        self.admission = admission
        arrivals = ArrivalBalance(workerCount: count)
        progress = LoopProgress(workerCount: count)
    }

    private static let longWorkNiceness: Int32 = 5

    /// Starts the threads. The caller owns the result, and stops the threads with it.
    public func start() throws(Errno) -> RunningWorkers {
        var running = RunningWorkers()
        for worker in workers { running.add(try WorkerThread(running: worker.reactor)) }
        return running
    }

    /// How many jobs were enqueued on all threads so far.
    public var enqueueCount: UInt64 { workers.reduce(0) { $0 + $1.reactor.thread.enqueueCount } }

    /// Whether an event loop is stuck: for ten seconds, each call has found it in the same turn. Call it at intervals, from
    /// any thread.
    public func isStuck(at now: MonotonicTime = Clock.now()) -> Bool {
        progress.isStuck(turns: workers.map { $0.reactor.thread.isIdle ? nil : $0.reactor.turnCount }, at: now)
    }

    /// The worker that runs a check: normally the one on whose connection it arrived. If that one gets more than its share
    /// and has another check in this turn, an idle worker runs it. So no core is idle while a worker is overloaded, and with
    /// an even load no check changes its thread.
    public func worker(for index: Int) -> Worker {
        let own = workers[index]
        guard workers.count > 1 else { return own }
        let isCrowded = own.reactor.noteCheck() > 1
        guard arrivals.note(at: index), isCrowded else { return own }
        return workers.first { $0.reactor.thread.isIdle } ?? own
    }
}

/// One worker: a thread, its reactor, its resolver and its check runner.
public final class Worker: Sendable {
    public let reactor: Reactor
    public let runner: CheckRunner
    let resolver: Resolver
    let batchTurns = BatchTurns()

    init(index: Int, admission: Admission, blocking: BlockingThreads) throws(Errno) {
        reactor = try Reactor(thread: ReactorThread(index: index))
        resolver = Resolver(reactor: reactor)
        runner = CheckRunner(reactor: reactor, resolver: resolver, admission: admission, blocking: blocking)
    }
}

/// The threads of a pool, while they run.
public struct RunningWorkers: ~Copyable {
    private var threads: [ThreadBox] = []

    /// An array cannot hold noncopyable values yet; a box can.
    private final class ThreadBox {
        var thread: WorkerThread?

        init(_ thread: consuming WorkerThread) {
            self.thread = consume thread
        }
    }

    mutating func add(_ thread: consuming WorkerThread) {
        threads.append(ThreadBox(thread))
    }

    /// Stops all reactors and waits for their threads.
    public consuming func stopAndJoin() {
        for box in threads { box.thread.take()?.stopAndJoin() }
    }
}

/// Detects a worker that gets many more checks than the others.
///
/// It counts over spans of a worker's own arrivals, with relaxed atomics: an estimate is sufficient.
final class ArrivalBalance: Sendable {
    private final class Meter: Sendable {
        let arrivals = Atomic<UInt64>(0)
        /// The total of all workers when this worker's span began.
        let totalBefore = Atomic<UInt64>(0)
        let isOverloaded = Atomic<Bool>(false)
    }

    /// The length of a span, in own arrivals. While the system does not schedule one worker, the others must not appear
    /// overloaded.
    private static let span: UInt64 = 1024

    private let meters: [Meter]

    init(workerCount: Int) {
        meters = (0..<workerCount).map { _ in Meter() }
    }

    /// Counts an arrival. Returns whether the worker gets more than one and a half times its share.
    func note(at index: Int) -> Bool {
        let meter = meters[index]
        let count = meter.arrivals.add(1, ordering: .relaxed).newValue
        if count.isMultiple(of: Self.span) { weigh(meter) }
        return meter.isOverloaded.load(ordering: .relaxed)
    }

    private func weigh(_ meter: Meter) {
        let total = meters.reduce(0) { $0 + $1.arrivals.load(ordering: .relaxed) }
        let arrived = total - meter.totalBefore.exchange(total, ordering: .relaxed)
        meter.isOverloaded.store(Self.span * UInt64(meters.count) * 2 > arrived * 3, ordering: .relaxed)
    }
}

/// Remembers since when each event loop has been in the same turn.
final class LoopProgress: Sendable {
    private struct Sample {
        /// nil while the loop waits for events.
        var turn: UInt64?
        var since = MonotonicTime(nanoseconds: 0)
    }

    static let stuckMilliseconds = 10_000

    private let samples: Mutex<[Sample]>

    init(workerCount: Int) {
        samples = Mutex(Array(repeating: Sample(), count: workerCount))
    }

    /// - Parameter turns: the number of each loop's turn; nil for a loop that waits for events.
    func isStuck(turns: [UInt64?], at now: MonotonicTime) -> Bool {
        samples.withLock { samples in
            for (index, turn) in turns.enumerated() where turn == nil || turn != samples[index].turn {
                samples[index] = Sample(turn: turn, since: now)
            }
            let earliest = now.advanced(byMilliseconds: -Self.stuckMilliseconds)
            return samples.contains { $0.turn != nil && $0.since <= earliest }
        }
    }
}
