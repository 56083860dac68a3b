import CLinux
import CheckEngine
import CheckModel
import NetworkTypes
import SocketIO

/// Checks on one worker, without a service around them.
struct CheckSession {
    /// What the caller sees of a run, on the calling thread.
    enum Event {
        case finished(Int, CheckResult)
        /// The check timed out and will be repeated. A run that is interrupted ends with this result.
        case willRepeat(Int, CheckResult)
        case repeating(round: Int, count: Int)
        /// The time for a new line of progress.
        case tick
    }

    enum Ending {
        case complete
        /// A signal came: what has not been reported by then is not known.
        case interrupted(by: Int32)
    }

    let checks: [PreparedCheck]
    let surroundings: Surroundings
    let options: BatchOptions
    /// How often `tick` is wanted; nil for never.
    let tickMilliseconds: Int?

    /// Runs all checks.
    func run(_ onEvent: (Event) -> Void) throws -> Ending {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: options.concurrency, queueLimit: 0))
        let events = try BlockingQueue<BatchEvent>()
        // After what cannot be done without: the last descriptor is not for signals.
        var interrupts = Interrupts()
        let threads = try pool.start()
        let worker = pool.workers[0]
        let hosts = checks.map(\.request.target.hostKey)
        let batch = CheckBatch(hosts: hosts, options: options, reactor: worker.reactor) {
            [checks, surroundings] index in
            await worker.runner.result(of: checks[index], under: surroundings)
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
        // From here on a signal ends the process at once, whatever it is printing.
        interrupts.restore()
        return ending
    }
}

extension CheckRunner {
    /// One check by the caller's own rights, or under the policy of `--config`.
    func result(of check: PreparedCheck, under surroundings: Surroundings) async -> CheckResult {
        switch await run(check, under: surroundings, queueNanoseconds: 0) {
        case .result(let result): result
        case .denied: .denied(check.request, startedAtNanoseconds: Clock.wallNanoseconds())
        }
    }
}
