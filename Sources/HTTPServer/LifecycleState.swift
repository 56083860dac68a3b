/// A state that only moves forward, in the order of its cases.
protocol LifecycleState: Comparable {}

extension LifecycleState {
    /// Moves on to a later state. An earlier one changes nothing: events may come late and more than once.
    mutating func advance(to state: Self) {
        self = max(self, state)
    }
}

/// What is known about the client of a connection.
enum ClientState: LifecycleState, CaseIterable {
    case connected
    /// It has shut down its writing half: it sends no more, and may still read.
    case finished
    /// It has closed or reset the connection, or is treated as if it had.
    case left
}

/// Whether a connection may carry another request.
enum PersistenceState: LifecycleState, CaseIterable {
    case persistent
    /// It is closed after the current response.
    case closing
    /// Its client is no longer admitted: another request on it is refused.
    case retired
}

/// How far the shutdown of a daemon has come.
enum DaemonState: LifecycleState, CaseIterable {
    case serving
    /// Every response closes its connection.
    case draining
    /// Requests that begin now are late: `drain` does not wait for them.
    case ending
    /// The handlers have been canceled: no stream begins.
    case canceled
}
