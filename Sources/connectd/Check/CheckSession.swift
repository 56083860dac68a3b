import CLinux
import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// Runs checks on one worker, without a service.
struct CheckSession {
    /// An event of a run, delivered on the calling thread.
    enum Event {
        case finished(Int, CheckResult)
        /// The check timed out and will be repeated. If the run is interrupted first, this is its result.
        case willRepeat(Int, CheckResult)
        case repeating(round: Int, count: Int)
        /// The progress line is due.
        case tick
    }

    enum Ending {
        case complete
        /// A signal arrived. Checks without an event so far have no result.
        case interrupted(by: Int32)
    }

    let checks: [PreparedCheck]
    let context: CheckContext
    let options: BatchOptions
    /// The interval of `tick`; nil for none.
    let tickMilliseconds: Int?

    /// Runs all checks.
    func run(_ onEvent: (Event) -> Void) throws -> Ending {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: options.concurrency, queueLimit: 0))
        let events = try BlockingQueue<BatchEvent>()
        // Opened last: if only one descriptor is left, the queue needs it more than the signals.
        var interrupts = Interrupts()
        let threads = try pool.start()
        let worker = pool.workers[0]
        let service = LocalCheckService(pool, worker: 0, isBalanced: false)
        let hosts = checks.map(\.request.target.hostKey)
        let batch = CheckBatch(hosts: hosts, options: options, reactor: worker.reactor) {
            [checks, context, service] index in
            // The batch never runs more checks at once than there are permits: each gets one without a wait.
            let answer = await service.run(checks[index], in: context, until: nil)
            return answer.result(of: checks[index])
                ?? .notStarted(
                    checks[index].request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
        }
        let task = Task(executorPreference: worker.reactor.thread) { await batch.run { events.append($0) } }
        var ending = Ending.complete
        var left = checks.count
        var nextTick = tickMilliseconds.map { Clock.now().advanced(byMilliseconds: $0) }
        while left > 0 {
            switch events.next(until: nextTick, or: interrupts) {
            case .element(.finished(let index, let result)):
                left -= 1
                onEvent(.finished(index, result))
            case .element(.willRepeat(let index, let result)):
                onEvent(.willRepeat(index, result))
            case .element(.repeating(let round, let count)):
                onEvent(.repeating(round: round, count: count))
            case .signal(let number):
                batch.cancel()
                ending = .interrupted(by: number)
                left = 0
            case .deadline: break
            }
            if let tick = nextTick, let tickMilliseconds, Clock.now() >= tick {
                if left > 0 { onEvent(.tick) }
                nextTick = Clock.now().advanced(byMilliseconds: tickMilliseconds)
            }
        }
        _ = task
        threads.stopAndJoin()
        // From here on a signal ends the process at once, even while it prints.
        interrupts.restore()
        return ending
    }
}
