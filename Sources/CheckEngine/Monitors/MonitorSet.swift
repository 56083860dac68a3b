internal import CheckModel
internal import SocketIO
internal import Synchronization

/// The monitors of the service, each on one of its workers.
public final class MonitorSet: Sendable {
    private struct Entry {
        let monitor: Monitor
        let task: Task<Void, Never>
    }

    private struct State {
        /// In the order of the configuration.
        var entries: [Entry] = []
        var isFilled = false
        var hasEnded = false
    }

    private let pool: WorkerPool
    private let surroundings: @Sendable () -> Surroundings
    private let observer: any MonitorObserver
    private let state = Mutex(State())

    public init(
        pool: WorkerPool, surroundings: @escaping @Sendable () -> Surroundings, observer: any MonitorObserver
    ) {
        self.pool = pool
        self.surroundings = surroundings
        self.observer = observer
    }

    /// In the order of the configuration.
    public var monitors: [Monitor] { state.withLock { $0.entries.map(\.monitor) } }

    /// Whether it is known which monitors there are, be it none.
    public var isFilled: Bool { state.withLock { $0.isFilled } }

    public func monitor(named name: String) -> Monitor? {
        state.withLock { $0.entries.first { $0.monitor.definition.name == name }?.monitor }
    }

    /// Puts these monitors in the place of those that run. One whose definition is the same goes on as it was.
    public func replace(with definitions: [MonitorDefinition]) {
        let dropped = state.withLock { state -> [Entry] in
            guard !state.hasEnded else { return [] }
            state.isFilled = true
            var former = Dictionary(uniqueKeysWithValues: state.entries.map { ($0.monitor.definition.name, $0) })
            let start = Clock.now()
            state.entries = definitions.enumerated().map { index, definition in
                if let entry = former[definition.name], entry.monitor.definition.source == definition.source {
                    former[definition.name] = nil
                    return entry
                }
                return begin(definition, index: index, of: definitions.count, at: start)
            }
            return Array(former.values)
        }
        for entry in dropped { entry.task.cancel() }
    }

    /// Ends all monitors for good; a round under way is broken off. What they found stays to be read.
    public func stop() {
        let entries = state.withLock { state -> [Entry] in
            state.hasEnded = true
            return state.entries
        }
        for entry in entries { entry.task.cancel() }
    }

    private func begin(
        _ definition: MonitorDefinition, index: Int, of count: Int, at start: MonotonicTime
    ) -> Entry {
        let worker = pool.workers[index % pool.workers.count]
        let monitor = Monitor(definition)
        let loop = MonitorLoop(
            monitor: monitor, worker: worker, admission: pool.admission, surroundings: surroundings,
            observer: observer)
        let schedule = MonitorSchedule(
            start: start, intervalMilliseconds: definition.intervalMilliseconds, index: index, of: count)
        let task = Task(executorPreference: worker.reactor.thread) { await loop.run(schedule) }
        return Entry(monitor: monitor, task: task)
    }
}
