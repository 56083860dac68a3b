internal import Synchronization

/// Whether checks come in much more often at one worker than at the others.
///
/// Counted over spans of a worker's own arrivals, with relaxed atomics: a rough answer is good enough.
final class ArrivalBalance: Sendable {
    private final class Meter: Sendable {
        let arrivals = Atomic<UInt64>(0)
        /// What all workers together had when this one's span began.
        let totalBefore = Atomic<UInt64>(0)
        let isOverloaded = Atomic<Bool>(false)
    }

    /// How many own arrivals make a span: long enough that a worker which the system leaves without a processor for a
    /// while does not make the others look crowded.
    private static let span: UInt64 = 1024

    private let meters: [Meter]

    init(workerCount: Int) {
        meters = (0..<workerCount).map { _ in Meter() }
    }

    /// Counts an arrival; true where the worker gets more than one and a half times its share of what comes in.
    func note(at index: Int) -> Bool {
        let meter = meters[index]
        let count = meter.arrivals.add(1, ordering: .relaxed).newValue
        if count.isMultiple(of: Self.span) { weigh(meter) }
        return meter.isOverloaded.load(ordering: .relaxed)
    }

    private func weigh(_ meter: Meter) {
        let total = meters.reduce(0) { $0 + $1.arrivals.load(ordering: .relaxed) }
        let arrived = total - meter.totalBefore.exchange(total, ordering: .relaxed)
        meter.isOverloaded.store(Self.span * UInt64(meters.count) * 2 > arrived * 3, ordering: .relaxed)
    }
}
