import CheckModel
import SocketIO

/// Signs of life for the service manager, given only where every thread of the service has had a turn: one that hangs ends them.
struct Watchdog {
    private let task: Task<Void, Never>

    /// nil where nobody watches.
    /// - Parameter reactors: at least one, on whose thread the watchdog runs.
    init?(_ manager: ServiceManager, over reactors: [Reactor]) {
        guard let interval = manager.watchdogMilliseconds else { return nil }
        let first = reactors[0]
        task = Task(executorPreference: first.thread) {
            while !Task.isCancelled {
                for reactor in reactors { _ = await reactor.sleep(until: Clock.now()) }
                manager.isAlive()
                _ = await first.sleep(until: Clock.now().advanced(byMilliseconds: interval))
            }
        }
    }

    func stop() {
        task.cancel()
    }
}
