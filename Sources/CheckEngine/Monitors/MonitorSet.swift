public import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
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
    private let context: @Sendable () -> CheckContext
    private let observer: any MonitorObserver
    private let state = Mutex(State())

    public init(
        pool: WorkerPool, context: @escaping @Sendable () -> CheckContext, observer: any MonitorObserver
    ) {
        self.pool = pool
        self.context = context
        self.observer = observer
    }

    /// In the order of the configuration.
    public var monitors: [Monitor] { state.withLock { $0.entries.map(\.monitor) } }

    /// Whether a configuration has been applied, even one without monitors.
    public var isFilled: Bool { state.withLock { $0.isFilled } }

    public func monitor(named name: String) -> Monitor? {
        state.withLock { $0.entries.first { $0.monitor.definition.name == name }?.monitor }
    }

    /// Replaces the monitors. A monitor with an unchanged definition keeps its state.
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

    /// Stops all monitors and cancels rounds in progress. Their results can still be read.
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
            monitor: monitor, worker: worker,
            service: LocalCheckService(pool, worker: worker.reactor.thread.index, isBalanced: false),
            context: context, observer: observer)
        let schedule = MonitorSchedule(
            start: start, intervalMilliseconds: definition.intervalMilliseconds, index: index, of: count)
        let task = Task(executorPreference: worker.reactor.thread) { await loop.run(schedule) }
        return Entry(monitor: monitor, task: task)
    }
}

/// Repeats one monitor's check on one worker, until its task is cancelled.
struct MonitorLoop<Service: CheckService> {
    let monitor: Monitor
    let worker: Worker
    let service: Service
    /// The current context. Each round reads it again, so that a reload applies to monitors too.
    let context: @Sendable () -> CheckContext
    let observer: any MonitorObserver

    /// Call it from a task that prefers the worker's thread.
    func run(_ schedule: MonitorSchedule) async {
        var schedule = schedule
        while await worker.reactor.sleep(until: schedule.due) == .deadline {
            await round()
            schedule.advance(now: Clock.now())
        }
    }

    /// Runs one round. The round is skipped if the queue is full.
    private func round() async {
        let check = monitor.nextCheck
        let answer = await service.run(check, in: context(), until: nil)
        if case .overloaded = answer {
            monitor.noteSkipped()
            observer.monitorSkipped(monitor)
        }
        // A round that the service itself cancelled says nothing about the target.
        guard let result = answer.result(of: check), result.outcome != .failed(.cancelled) else { return }
        var report: ConfirmationReport?
        if let confirmation = monitor.confirmation(of: result) {
            report = await confirmation.confirm()
            // Places that were not asked to the end say nothing.
            if Task.isCancelled { return }
        }
        let changed = monitor.note(result, confirmedBy: report)
        observer.monitorFinished(monitor, with: result, changed: changed, on: worker.reactor.thread.index)
    }
}

/// When the rounds of one monitor are due.
/// The first rounds start one millisecond apart, so that a pod with three monitors is ready soon. With ten thousand
/// monitors, they are spread over the interval. From the second round on, the monitors of one interval are spread
/// evenly over it. Each round has a random delay of up to a twentieth of the interval, so that the monitors of several
/// probers do not synchronize.
/// Each round has a random delay of up to a twentieth of the interval, so that no monitors of any prober synchronize.
struct MonitorSchedule {
    private let intervalNanoseconds: Int64
    /// When the next round is due, without its random delay. Further rounds follow one interval apart.
    private var grid: MonotonicTime
    private(set) var due: MonotonicTime

    private static let firstStepNanoseconds: Int64 = 1_000_000

    /// - Parameter index: the monitor's index among `count` monitors.
    init(start: MonotonicTime, intervalMilliseconds: Int, index: Int, of count: Int) {
        intervalNanoseconds = Int64(intervalMilliseconds) * 1_000_000
        let share = intervalNanoseconds / Int64(max(count, 1))
        due = start.advanced(byNanoseconds: Int64(index) * min(share, Self.firstStepNanoseconds))
        let slot = start.advanced(byNanoseconds: Int64(index) * share)
        // The second round follows the first after 0.5 to 1.5 intervals.
        grid = slot.since(due) < intervalNanoseconds / 2 ? slot.advanced(byNanoseconds: intervalNanoseconds) : slot
    }

    /// Schedules the next round, after one has ended. Rounds whose time has passed are skipped.
    mutating func advance(now: MonotonicTime) {
        while grid <= now { grid = grid.advanced(byNanoseconds: intervalNanoseconds) }
        due = grid.advanced(byNanoseconds: Int64.random(in: 0...intervalNanoseconds / 20))
        grid = grid.advanced(byNanoseconds: intervalNanoseconds)
    }
}

/// Receives the rounds of monitors, on the threads of workers. It must not block.
public protocol MonitorObserver: Sendable {
    /// - Parameter changed: whether this round changed the monitor's state.
    /// - Parameter worker: the index of the worker that it ran on.
    func monitorFinished(_ monitor: Monitor, with result: CheckResult, changed: Bool, on worker: Int)
    /// The round was skipped because the queue was full.
    func monitorSkipped(_ monitor: Monitor)
}
