public import CheckModel
internal import SocketIO

/// The workers of the service, one thread each.
public final class WorkerPool: Sendable {
    public let workers: [Worker]
    public let admission: Admission
    private let arrivals: ArrivalBalance

    /// - Parameter count: at least 1.
    public init(count: Int, admission: Admission) throws(Errno) {
        var workers: [Worker] = []
        let blocking = try BlockingThreads()
        for index in 0..<count {
            workers.append(try Worker(index: index, admission: admission, blocking: blocking))
        }
        self.workers = workers
        self.admission = admission
        arrivals = ArrivalBalance(workerCount: count)
    }

    /// Starts the threads. The caller keeps what it gets and ends them by it.
    public func start() throws(Errno) -> RunningWorkers {
        var running = RunningWorkers()
        for worker in workers { running.add(try WorkerThread(running: worker.reactor)) }
        return running
    }

    /// How many jobs all threads were given so far.
    public var enqueueCount: UInt64 { workers.reduce(0) { $0 + $1.reactor.thread.enqueueCount } }

    /// The worker that a check runs on: the one whose connection it came in by, unless the load comes in unevenly, and
    /// that worker has more to do in this turn while another sleeps. So one busy worker never leaves a core idle, and
    /// with an even load no check leaves its thread.
    public func worker(for index: Int) -> Worker {
        let own = workers[index]
        guard workers.count > 1 else { return own }
        let isCrowded = own.reactor.noteCheck() > 1
        guard arrivals.note(at: index), isCrowded else { return own }
        return workers.first { $0.reactor.thread.isIdle } ?? own
    }
}
