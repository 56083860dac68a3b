internal import AccessPolicy
package import CheckEngine
package import CheckModel
internal import ErrorCatalogue
package import HTTPServer
internal import Logging
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON
internal import Synchronization

/// Counts and logs the checks of requests, by outcome.
package final class CheckJournal: Sendable {
    private let metrics: ServiceMetrics
    private let logger: Logger
    private let asked = Atomic<UInt64>(0)

    init(metrics: ServiceMetrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    /// The number of checks requested so far.
    var askedCount: UInt64 { asked.load(ordering: .relaxed) }

    package func noteAsked() {
        asked.add(1, ordering: .relaxed)
    }

    /// Counts and logs the answer to a check.
    /// - Parameter peer: who asked; only for the log.
    /// - Returns: the result.
    /// - Throws: the problem, if the check has no result.
    package func conclude(
        _ answer: CheckAnswer, of request: CheckRequest, from peer: Peer, on worker: Int
    ) throws(Problem) -> CheckResult {
        switch answer {
        case .result(let result):
            metrics.note(result, on: worker, for: request.origin?.client)
            log(result, of: request)
            return result
        case .denied(let reason):
            noteDenied(request, because: Denial(reason), from: peer, on: worker)
            throw Problem(.denied, "the policy of this prober does not allow this target")
        case .overloaded:
            logger.info("overloaded: the queue is full", metadata: metadata(of: request))
            throw Problem(
                .overloaded, "too many checks in flight and the queue is full",
                headers: [Problem.retryAfter])
        case .cancelled:
            metrics.noteCancelled(on: worker, for: request.origin?.client)
            // No client reads this: it has left, or the service stops.
            throw Problem(.draining, "the check was cancelled", headers: [Problem.retryAfter])
        }
    }

    /// The same for a check of a batch. A denial is a result, too.
    func concludeItem(
        _ answer: CheckAnswer, of request: CheckRequest, from peer: Peer, on worker: Int
    ) -> CheckResult {
        switch answer {
        case .result(let result):
            metrics.note(result, on: worker, for: request.origin?.client)
            log(result, of: request)
            return result
        case .denied(let reason):
            noteDenied(request, because: Denial(reason), from: peer, on: worker)
            return .denied(request, startedAtNanoseconds: Clock.wallNanoseconds())
        case .overloaded, .cancelled:
            metrics.noteCancelled(on: worker, for: request.origin?.client)
            return .notStarted(request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
        }
    }

    /// Counts and logs a check of a batch that is not valid, or uses what is not allowed.
    func noteRefused(_ report: ErrorReport, target: String, by origin: RequestOrigin?, on worker: Int) {
        switch report.errorClass {
        case .denied: metrics.noteDenied(on: worker, for: origin?.client)
        case .cancelled: metrics.noteCancelled(on: worker, for: origin?.client)
        case .invalid: metrics.noteInvalid(on: worker, for: origin?.client)
        // The fleet counts the questions that had no answer.
        default: break
        }
        guard logger.logLevel <= .debug else { return }
        let details: Logger.Metadata = ["outcome": "\(report.errorClass.rawValue)", "hint": "\(report.hint)"]
        logger.debug("check", metadata: metadata(of: target, origin, details))
    }

    /// Counts checks of a batch that had no result when their client left.
    func noteCancelled(_ count: Int, by client: String?, on worker: Int) {
        for _ in 0..<count { metrics.noteCancelled(on: worker, for: client) }
    }

    /// The same for a probe. Its status is about the target, so a result that the shutdown canceled becomes a problem.
    package func concludeProbe(
        _ answer: CheckAnswer, of request: CheckRequest, from peer: Peer, on worker: Int
    ) throws(Problem) -> CheckResult {
        let result = try conclude(answer, of: request, from: peer, on: worker)
        guard result.outcome != .failed(.cancelled) else {
            throw Problem(.draining, "the check was cancelled", headers: [Problem.retryAfter])
        }
        return result
    }

    /// Counts and logs a check that the policy denies.
    package func noteDenied(_ request: CheckRequest, because denial: Denial, from peer: Peer, on worker: Int) {
        metrics.noteDenied(on: worker, for: request.origin?.client)
        logDenial(of: request, because: denial, from: peer)
    }

    /// Logs who was denied what, and by which rule.
    func logDenial(of request: CheckRequest, because denial: Denial, from peer: Peer) {
        var details: Logger.Metadata = ["rule": "\(denial.rule)", "reason": "\(denial.text)"]
        if request.origin?.client == nil { details["client"] = "\(peer.text)" }
        logger.info("denied by policy", metadata: metadata(of: request, details))
    }

    private func log(_ result: CheckResult, of request: CheckRequest) {
        guard logger.logLevel <= .debug else { return }
        var details: Logger.Metadata = [
            "outcome": "\(result.outcome.word)", "duration_ms": .duration(nanoseconds: result.timings[.total]),
        ]
        if let error = result.error {
            details["error"] = "\(error.name)"
            details["fault"] = "\(error.fault.rawValue)"
        }
        logger.debug("check", metadata: metadata(of: request, details))
    }

    /// The fields of every line about a check: its target, and where the request came from.
    private func metadata(of request: CheckRequest, _ details: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = metadata(of: request.target.text, request.origin, details)
        if let id = request.id { metadata["id"] = "\(id)" }
        return metadata
    }

    private func metadata(
        of target: String, _ origin: RequestOrigin?, _ details: Logger.Metadata
    ) -> Logger.Metadata {
        var metadata = details
        metadata["target"] = "\(target)"
        if let client = origin?.client { metadata["client"] = "\(client)" }
        if let requestID = origin?.requestID { metadata["request_id"] = "\(requestID)" }
        if let traceparent = origin?.traceparent { metadata["traceparent"] = "\(traceparent)" }
        return metadata
    }
}

/// Why the policy denies a check, for the log.
package struct Denial: Sendable {
    /// The key of the configuration that decides, or `hard denial`.
    let rule: String
    let text: String

    package init(rule: String, text: String) {
        self.rule = rule
        self.text = text
    }

    init(_ reason: DenialReason) {
        rule = reason.ruleName
        text = reason.text
    }
}

/// Counts the rounds of monitors, and logs state changes.
final class MonitorJournal: MonitorObserver {
    private let metrics: ServiceMetrics
    private let logger: Logger

    init(metrics: ServiceMetrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    func monitorFinished(_ monitor: CheckEngine.Monitor, with result: CheckResult, changed: Bool, on worker: Int) {
        metrics.note(result, on: worker)
        if result.outcome == .failed(.denied) { metrics.noteDenial() }
        if changed { logChange(of: monitor, result) }
        guard logger.logLevel <= .debug else { return }
        logger.debug("monitor round", metadata: metadata(of: monitor, result))
    }

    func monitorSkipped(_ monitor: CheckEngine.Monitor) {
        metrics.noteSkippedRound()
        logger.info(
            "overloaded: skipped a monitor round", metadata: ["monitor": "\(monitor.definition.name)"])
    }

    private func logChange(of monitor: CheckEngine.Monitor, _ result: CheckResult) {
        let metadata = metadata(of: monitor, result)
        switch monitor.state {
        case .up: logger.notice("monitor is up", metadata: metadata)
        case .degraded: logger.warning("monitor is degraded", metadata: degraded(monitor, metadata))
        case .down: logger.warning("monitor is down", metadata: metadata)
        case .pending: break
        }
    }

    private func degraded(_ monitor: CheckEngine.Monitor, _ metadata: Logger.Metadata) -> Logger.Metadata {
        guard let report = monitor.status.confirmation else { return metadata }
        var metadata = metadata
        metadata["confirmation"] = "\(report.summary)"
        return metadata
    }

    private func metadata(of monitor: CheckEngine.Monitor, _ result: CheckResult) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "monitor": "\(monitor.definition.name)", "target": "\(monitor.definition.check.request.target.text)",
            "outcome": "\(result.outcome.word)", "duration_ms": .duration(nanoseconds: result.timings[.total]),
        ]
        if let error = result.error {
            metadata["error"] = "\(error.name)"
            metadata["fault"] = "\(error.fault.rawValue)"
        }
        return metadata
    }
}

/// A duration in a log line: milliseconds with microsecond resolution. It is a number in JSON.
struct LogDuration: CustomStringConvertible, Sendable {
    let nanoseconds: Int64

    /// The format of `timings_ms` in results: 300,000 ns are `0.3`.
    var description: String {
        var writer = JSONWriter(reserving: 24)
        writer.milliseconds(nanoseconds: nanoseconds)
        return String(decoding: writer.finishLine().dropLast(), as: UTF8.self)
    }
}

extension Logger.MetadataValue {
    static func duration(nanoseconds: Int64) -> Self {
        .stringConvertible(LogDuration(nanoseconds: nanoseconds))
    }
}

extension JSONWriter {
    /// Writes a value of a log line: numbers as numbers, others as text.
    mutating func logValue(_ value: Logger.MetadataValue) {
        guard case .stringConvertible(let content) = value else { return string(value.description) }
        switch content {
        case let duration as LogDuration: milliseconds(nanoseconds: duration.nanoseconds)
        case let number as Int: integer(number)
        default: string(content.description)
        }
    }
}
