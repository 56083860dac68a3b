import CheckEngine
import CheckModel
import SocketIO

/// Signs of life for the service manager, given only where every worker has had a turn: one that hangs ends them.
struct Watchdog {
    private let task: Task<Void, Never>

    /// nil where nobody watches.
    init?(_ manager: ServiceManager, over workers: [Worker]) {
        guard let interval = manager.watchdogMilliseconds else { return nil }
        let first = workers[0].reactor
        task = Task(executorPreference: first.thread) {
            while !Task.isCancelled {
                for worker in workers { _ = await worker.reactor.sleep(until: Clock.now()) }
                manager.isAlive()
                _ = await first.sleep(until: Clock.now().advanced(byMilliseconds: interval))
            }
        }
    }

    func stop() {
        task.cancel()
    }
}
