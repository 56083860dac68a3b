import CLinux
import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// One finished round.
struct PingRound: Sendable {
    /// From 1, in the order of the starts.
    let number: Int
    let result: CheckResult
    let start: MonotonicTime
    let end: MonotonicTime
}

/// Runs the rounds of `ping`, without a service.
///
/// Rounds start on a grid of fixed times. They may overlap, so that an outage is seen with the resolution of the interval
/// and not of the timeout.
struct PingSession {
    /// An event of the session, delivered on the calling thread.
    enum Event {
        /// Rounds end in any order.
        case finished(PingRound)
        /// SIGQUIT arrived.
        case summaryRequested
    }

    let context: CheckContext
    /// nil for no limit.
    let count: Int?
    let interval: Duration
    /// The time after which the session ends; nil for none.
    let deadline: Duration?
    /// Makes the check of a round: presets ask a new question each time.
    let makeCheck: @Sendable () throws(RequestProblems) -> PreparedCheck

    /// The most rounds at once. If so many have not ended, no round starts.
    private static let mostRunning = 256

    /// Runs until all rounds have ended, the deadline passes, or SIGINT or SIGTERM arrives. A round that has not ended by
    /// then has no event.
    func run(_ onEvent: (Event) -> Void) throws {
        let mostRunning = min(Self.mostRunning, DescriptorBudget.checks(eachHolding: 2))
        let pool = try WorkerPool(count: 1, admission: Admission(limit: mostRunning, queueLimit: 0))
        let events = try BlockingQueue<PingRound?>()
        // Opened last: if only one descriptor is left, the queue needs it more than the signals.
        var interrupts = Interrupts(includingQuit: true)
        let threads = try pool.start()
        collect(events, interrupts, mostRunning: mostRunning, onEvent) { number in
            start(number, on: pool, events)
        }
        threads.stopAndJoin()
        // From here on a signal ends the process at once, even while it prints.
        interrupts.restore()
    }

    private func start(_ number: Int, on pool: WorkerPool, _ events: BlockingQueue<PingRound?>) {
        let service = LocalCheckService(pool, worker: 0, isBalanced: false)
        Task(executorPreference: pool.workers[0].reactor.thread) { [context, makeCheck] in
            // The same text was valid when the command began.
            guard let check = try? makeCheck() else { preconditionFailure("a valid target became invalid") }
            let begin = Clock.now()
            let result = await service.run(check, in: context, until: nil).result(of: check)
            // There are as many permits as rounds at once, so a round without a result was cancelled at the end.
            guard let result, result.outcome != .failed(.cancelled) else { return events.append(nil) }
            events.append(PingRound(number: number, result: result, start: begin, end: Clock.now()))
        }
    }

    private func collect(
        _ events: BlockingQueue<PingRound?>, _ interrupts: borrowing Interrupts, mostRunning: Int,
        _ onEvent: (Event) -> Void, _ start: (Int) -> Void
    ) {
        var grid = PingGrid(origin: Clock.now(), interval: interval)
        let end = deadline.map { grid.next.advanced(byMilliseconds: $0.milliseconds) }
        var startedCount = 0
        var runningCount = 0
        while true {
            let isLastStarted = count.map { startedCount >= $0 } ?? false
            if isLastStarted, runningCount == 0 { return }
            let now = Clock.now()
            if let end, now >= end { return }
            let mayStart = !isLastStarted && runningCount < mostRunning
            if mayStart, grid.takeStart(at: now) {
                startedCount += 1
                runningCount += 1
                start(startedCount)
                continue
            }
            let wakes = [mayStart ? grid.next : nil, end].compactMap { $0 }
            switch events.next(until: wakes.min(), or: interrupts) {
            case .element(let round):
                runningCount -= 1
                if let round { onEvent(.finished(round)) }
            case .signal(SIGQUIT): onEvent(.summaryRequested)
            case .signal: return
            case .deadline: break
            }
        }
    }
}

/// The times at which rounds start: a fixed time after the first one, whatever happens in between.
struct PingGrid {
    private let origin: MonotonicTime
    private let interval: Int64
    /// When the next round is due.
    private(set) var next: MonotonicTime

    init(origin: MonotonicTime, interval: Duration) {
        self.origin = origin
        self.interval = Int64(interval.milliseconds) * 1_000_000
        next = origin
    }

    /// Whether a round starts now. If it is late by half of the interval or more, it is left out.
    mutating func takeStart(at now: MonotonicTime) -> Bool {
        guard now >= next else { return false }
        let lateness = now.since(next)
        let passed = now.since(origin) / interval
        next = origin.advanced(byNanoseconds: (passed + 1) * interval)
        return lateness < interval / 2
    }
}
