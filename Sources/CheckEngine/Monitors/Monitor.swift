internal import CheckModel
internal import SocketIO
internal import Synchronization

/// One monitor of the running service: its definition and what is known of it.
public final class Monitor: Sendable {
    public let definition: MonitorDefinition
    private let latest: Mutex<MonitorStatus>

    init(_ definition: MonitorDefinition) {
        self.definition = definition
        latest = Mutex(MonitorStatus(nowNanoseconds: Clock.wallNanoseconds()))
    }

    public var status: MonitorStatus { latest.withLock { $0 } }

    /// Without a copy of the history.
    public var state: MonitorState { latest.withLock { $0.state } }

    /// - Returns: whether the state is another one now.
    func note(_ result: CheckResult) -> Bool {
        latest.withLock { $0.note(result, of: definition) }
    }

    func noteSkipped() {
        latest.withLock { $0.noteSkipped() }
    }
}
