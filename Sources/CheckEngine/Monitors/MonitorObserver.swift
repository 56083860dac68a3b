public import CheckModel

/// Who is told of the rounds of monitors: on the threads of workers, so it must not wait.
public protocol MonitorObserver: Sendable {
    /// - Parameter changed: whether the monitor is up or down since this round.
    /// - Parameter worker: the index of the worker that it ran on.
    func monitorFinished(_ monitor: Monitor, with result: CheckResult, changed: Bool, on worker: Int)
    /// The service had no room for the round.
    func monitorSkipped(_ monitor: Monitor)
}
