/// A point on the clock that never jumps (CLOCK_MONOTONIC), in nanoseconds.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    public let nanoseconds: UInt64

    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    public static let distantFuture = MonotonicTime(nanoseconds: .max)

    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Nanoseconds from `earlier` to this point; negative if it lies behind.
    public func since(_ earlier: MonotonicTime) -> Int64 {
        Int64(bitPattern: nanoseconds &- earlier.nanoseconds)
    }

    public func advanced(byNanoseconds delta: Int64) -> MonotonicTime {
        delta >= 0
            ? MonotonicTime(nanoseconds: nanoseconds > .max - UInt64(delta) ? .max : nanoseconds + UInt64(delta))
            : MonotonicTime(nanoseconds: nanoseconds - min(nanoseconds, delta.magnitude))
    }

    public func advanced(byMilliseconds delta: Int) -> MonotonicTime {
        advanced(byNanoseconds: Int64(delta) * 1_000_000)
    }
}
