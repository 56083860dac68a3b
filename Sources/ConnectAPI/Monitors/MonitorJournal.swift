internal import CheckEngine
internal import CheckModel
internal import Logging

/// Counts the rounds of monitors, and logs when one goes up or down.
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
            "overloaded: a round of a monitor was left out", metadata: ["monitor": "\(monitor.definition.name)"])
    }

    private func logChange(of monitor: CheckEngine.Monitor, _ result: CheckResult) {
        let metadata = metadata(of: monitor, result)
        switch monitor.state {
        case .up: logger.notice("monitor is up", metadata: metadata)
        case .down: logger.warning("monitor is down", metadata: metadata)
        case .pending: break
        }
    }

    private func metadata(of monitor: CheckEngine.Monitor, _ result: CheckResult) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "monitor": "\(monitor.definition.name)", "target": "\(monitor.definition.check.request.target.text)",
            "outcome": "\(result.outcome.word)", "duration_ms": .duration(nanoseconds: result.timings.total),
        ]
        if let error = result.error {
            metadata["error"] = "\(error.name)"
            metadata["fault"] = "\(error.fault.rawValue)"
        }
        return metadata
    }
}
