import CLinux
import CheckEngine
import CheckModel
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

    enum EndReason {
        case complete
        /// A signal arrived. Checks without an event so far have no result.
        case interrupted(by: Int32)
    }

    let checks: [PreparedCheck]
    let surroundings: Surroundings
    let options: BatchOptions
    /// The interval of `tick`; nil for none.
    let tickMilliseconds: Int?

    /// Runs all checks.
    func run(_ onEvent: (Event) -> Void) throws -> EndReason {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: options.concurrency, queueLimit: 0))
        let events = try BlockingQueue<BatchEvent>()
        // Opened last: if only one descriptor is left, the queue needs it more than the signals.
        var interrupts = Interrupts()
        let threads = try pool.start()
        let worker = pool.workers[0]
        let hosts = checks.map(\.request.target.hostKey)
        let batch = CheckBatch(hosts: hosts, options: options, reactor: worker.reactor) {
            [checks, surroundings] index in
            await worker.runner.result(of: checks[index], under: surroundings)
        }
        let task = Task(executorPreference: worker.reactor.thread) { await batch.run { events.append($0) } }
        var endReason = EndReason.complete
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
                endReason = .interrupted(by: number)
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
        return endReason
    }
}

extension CheckRunner {
    /// Runs one check with the caller's rights, or under the policy of `--config`.
    func result(of check: PreparedCheck, under surroundings: Surroundings) async -> CheckResult {
        switch await run(check, under: surroundings, queueNanoseconds: 0) {
        case .result(let result): result
        case .denied: .denied(check.request, startedAtNanoseconds: Clock.wallNanoseconds())
        }
    }
}
