internal import CheckEngine
internal import CheckModel
internal import Logging
internal import Synchronization

/// Counts and logs the checks of requests, each by its ending.
final class CheckJournal: Sendable {
    private let metrics: ServiceMetrics
    private let logger: Logger
    private let asked = Atomic<UInt64>(0)

    init(metrics: ServiceMetrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    /// How many checks were asked for so far.
    var askedCount: UInt64 { asked.load(ordering: .relaxed) }

    func noteAsked() {
        asked.add(1, ordering: .relaxed)
    }

    /// Takes a check's ending down, and gives its result where it has one.
    /// - Throws: why it has none.
    func conclude(
        _ answer: CheckTask.Answer, of request: CheckRequest, on worker: Int
    ) throws(Problem) -> CheckResult {
        switch answer {
        case .answered(.result(let result)):
            metrics.note(result, on: worker, for: request.origin?.client)
            log(result, of: request)
            return result
        case .answered(.denied(let reason)):
            noteDenied(request, because: reason.text, on: worker)
            throw Problem(.denied, "the policy of this prober does not allow this target")
        case .overloaded:
            logger.info("overloaded: the queue is full", metadata: metadata(of: request))
            throw Problem(
                .overloaded, "connectd has as many checks as it may have, in flight and in the queue",
                headers: [Problem.retryAfter])
        case .cancelled:
            metrics.noteCancelled(on: worker, for: request.origin?.client)
            // Nobody reads this: the client is gone, or the service is stopping.
            throw Problem(.draining, "the check was cancelled", headers: [Problem.retryAfter])
        }
    }

    /// The same of a probe, which is read as the target's: a result that the end of the service has broken off is none.
    func concludeProbe(
        _ answer: CheckTask.Answer, of request: CheckRequest, on worker: Int
    ) throws(Problem) -> CheckResult {
        let result = try conclude(answer, of: request, on: worker)
        guard result.outcome != .failed(.cancelled) else {
            throw Problem(.draining, "the check was cancelled", headers: [Problem.retryAfter])
        }
        return result
    }

    /// - Parameter reason: for the log alone.
    func noteDenied(_ request: CheckRequest, because reason: String, on worker: Int) {
        metrics.noteDenied(on: worker, for: request.origin?.client)
        logger.info("denied by policy", metadata: metadata(of: request, ["reason": "\(reason)"]))
    }

    private func log(_ result: CheckResult, of request: CheckRequest) {
        guard logger.logLevel <= .debug else { return }
        var details: Logger.Metadata = [
            "outcome": "\(result.outcome.word)", "duration_ms": .duration(nanoseconds: result.timings.total),
        ]
        if let error = result.error {
            details["error"] = "\(error.name)"
            details["fault"] = "\(error.fault.rawValue)"
        }
        logger.debug("check", metadata: metadata(of: request, details))
    }

    /// What each line about a check has: its target, and where the request came from.
    private func metadata(of request: CheckRequest, _ details: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = details
        metadata["target"] = "\(request.target.text)"
        if let id = request.id { metadata["id"] = "\(id)" }
        if let client = request.origin?.client { metadata["client"] = "\(client)" }
        if let requestID = request.origin?.requestID { metadata["request_id"] = "\(requestID)" }
        if let traceparent = request.origin?.traceparent { metadata["traceparent"] = "\(traceparent)" }
        return metadata
    }
}
