internal import AccessPolicy
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

// Checks with several rounds.
extension CheckRunner {
    /// Runs all rounds, one after another, with the permit of the check.
    ///
    /// Not inlined: the frame of every check would grow by this one's.
    /// - Returns: the result of the last round, with the statistics of all of them. A cancelled round ends the check, and
    ///   does not count.
    @inline(never)
    func runRounds(
        _ check: PreparedCheck, in context: CheckContext, queueNanoseconds: Int64, until deadline: MonotonicTime?
    ) async -> CheckAnswer {
        var statistics = RoundStatistics()
        var last: CheckResult?
        for index in 0..<check.request.count {
            if index > 0 { await pause(before: check) }
            if index > 0, Task.isCancelled {
                last = .notStarted(check.request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
                break
            }
            let begin = Clock.now()
            if let deadline, index > 0, begin >= deadline { break }
            let result: CheckResult
            // Only the last result is shown, so only it is worth a trace.
            let answer = await runOnce(
                check, in: context, queueNanoseconds: queueNanoseconds, until: deadline,
                mayTrace: index == check.request.count - 1)
            switch answer {
            case .result(let finished): result = finished
            case .denied(let reason):
                // A name may have got other addresses meanwhile.
                guard index > 0 else { return .denied(reason: reason) }
                result = .denied(check.request, startedAtNanoseconds: Clock.wallNanoseconds())
            case .overloaded: return .overloaded
            case .cancelled: return .cancelled
            }
            last = result
            if result.outcome == .failed(.cancelled) { break }
            statistics.note(FinishedRound(result, start: begin, end: Clock.now()))
        }
        return last.map { .result($0.withRounds(statistics)) } ?? .cancelled
    }

    /// Waits for the interval; without one, lets everything else on the thread run once. A cancellation ends the wait.
    private func pause(before check: PreparedCheck) async {
        let end = Clock.now().advanced(byMilliseconds: Int(check.request.intervalMilliseconds))
        _ = await reactor.sleep(until: end)
    }
}
