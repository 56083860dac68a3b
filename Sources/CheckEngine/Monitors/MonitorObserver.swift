public import CheckModel

/// Who is told of the rounds of monitors: on the threads of workers, so it must not wait.
public protocol MonitorObserver: Sendable {
    /// - Parameter changed: whether the monitor is up or down since this round.
    func monitorFinished(_ monitor: Monitor, with result: CheckResult, changed: Bool)
    /// The service had no room for the round.
    func monitorSkipped(_ monitor: Monitor)
}
