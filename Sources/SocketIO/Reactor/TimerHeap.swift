/// A binary heap of deadlines, at most one per identifier. Entries are removed as soon as they are not needed: at
/// 20,000 checks per second with timeouts of a minute, stale entries would add up to a million.
struct TimerHeap {
    private struct Entry {
        let deadline: UInt64
        let identifier: UInt32
    }

    private static let absent: Int32 = -1
    private var entries: [Entry] = []
    /// The position of each identifier's entry in `entries`.
    private var positions: [Int32] = []

    /// The earliest deadline.
    var next: MonotonicNanoseconds? { entries.first?.deadline }

    var count: Int { entries.count }

    /// Sets or replaces the deadline of an identifier.
    mutating func schedule(_ identifier: UInt32, at deadline: MonotonicNanoseconds) {
        cancel(identifier)
        if positions.count <= Int(identifier) {
            positions += repeatElement(Self.absent, count: Int(identifier) + 1 - positions.count)
        }
        entries.append(Entry(deadline: deadline, identifier: identifier))
        positions[Int(identifier)] = Int32(entries.count - 1)
        siftUp(from: entries.count - 1)
    }

    /// Removes the deadline of an identifier; does nothing if it has none.
    mutating func cancel(_ identifier: UInt32) {
        guard Int(identifier) < positions.count, positions[Int(identifier)] != Self.absent else { return }
        remove(at: Int(positions[Int(identifier)]))
    }

    /// Removes an expired entry and returns its identifier; nil if there is none.
    mutating func popExpired(at now: MonotonicNanoseconds) -> UInt32? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        remove(at: 0)
        return first.identifier
    }

    private mutating func remove(at index: Int) {
        positions[Int(entries[index].identifier)] = Self.absent
        let last = entries.removeLast()
        guard index < entries.count else { return }
        place(last, at: index)
        siftDown(from: index)
        siftUp(from: index)
    }

    private mutating func place(_ entry: Entry, at index: Int) {
        entries[index] = entry
        positions[Int(entry.identifier)] = Int32(index)
    }

    private mutating func siftUp(from start: Int) {
        var index = start
        let entry = entries[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.deadline < entries[parent].deadline else { break }
            place(entries[parent], at: index)
            index = parent
        }
        place(entry, at: index)
    }

    private mutating func siftDown(from start: Int) {
        var index = start
        let entry = entries[index]
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].deadline < entries[child].deadline { child += 1 }
            guard entries[child].deadline < entry.deadline else { break }
            place(entries[child], at: index)
            index = child
        }
        place(entry, at: index)
    }
}

/// Nanoseconds of CLOCK_MONOTONIC.
typealias MonotonicNanoseconds = UInt64
