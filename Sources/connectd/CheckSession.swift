import CheckEngine
import CheckModel
import SocketIO

/// Checks on one worker, without a service around them.
struct CheckSession {
    let requests: [CheckRequest]
    let surroundings: Surroundings
    /// So many run at once; the others wait their turn.
    private static let concurrency = 256

    /// Runs all checks.
    /// - Parameter onResult: called for each as it ends, on the calling thread.
    /// - Returns: the results in the order of the requests.
    func run(_ onResult: (Int, CheckResult) -> Void) throws -> [CheckResult] {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: Self.concurrency, queueLimit: requests.count))
        let threads = try pool.start()
        let finished = BlockingQueue<(Int, CheckResult)>()
        let worker = pool.workers[0]
        for (index, request) in requests.enumerated() {
            Task(executorPreference: worker.reactor.thread) { [surroundings] in
                guard case .admitted(let permit) = await pool.admission.acquire() else { return }
                let answer = await worker.runner.run(
                    PreparedCheck(request: request), under: surroundings, queueNanoseconds: 0)
                _ = consume permit
                switch answer {
                case .result(let result): finished.append((index, result))
                case .denied: finished.append((index, .denied(request, startedAtNanoseconds: Clock.wallNanoseconds())))
                }
            }
        }
        var results = [CheckResult?](repeating: nil, count: requests.count)
        for _ in requests {
            let (index, result) = finished.next()
            results[index] = result
            onResult(index, result)
        }
        threads.stopAndJoin()
        return results.compactMap { $0 }
    }
}
