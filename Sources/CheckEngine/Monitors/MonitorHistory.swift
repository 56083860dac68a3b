public import CheckModel

/// The latest rounds of a monitor, 16 bytes each: the oldest makes room for the newest.
public struct MonitorHistory: Sendable {
    /// One round.
    public struct Entry: Hashable, Sendable {
        /// Wall-clock time, milliseconds since 1970.
        public let startedAtMilliseconds: Int64
        /// As `timings_ms.total`, in microseconds; at most what fits, more than an hour.
        public let totalMicroseconds: UInt32
        public let ok: Bool
        private let outcomeCode: UInt8
        private let errorCode: UInt16

        init(_ result: CheckResult) {
            startedAtMilliseconds = result.startedAtNanoseconds / 1_000_000
            totalMicroseconds = UInt32(clamping: result.timings.total / 1000)
            ok = result.ok
            outcomeCode = UInt8(Outcome.all.firstIndex(of: result.outcome) ?? 0)
            errorCode = result.error.map(ErrorCode.init)?.rawValue ?? 0
        }

        public var outcome: Outcome { Outcome.all[Int(outcomeCode)] }
        /// `error.name` of the result; nil for a success.
        public var errorName: String? { ErrorCode(rawValue: errorCode).name }
    }

    public static let capacity = 500

    private var ring: [Entry] = []
    /// Where the oldest stands, once the ring is full.
    private var oldest = 0

    public var count: Int { ring.count }

    /// From the oldest to the newest.
    public var entries: [Entry] { Array(ring[oldest...] + ring[..<oldest]) }

    mutating func append(_ result: CheckResult) {
        guard ring.count == Self.capacity else { return ring.append(Entry(result)) }
        ring[oldest] = Entry(result)
        oldest = (oldest + 1) % Self.capacity
    }
}

/// An error's name in two bytes: its place in the catalogue, or the number of an errno that is not in it.
private struct ErrorCode {
    let rawValue: UInt16

    private static let unlisted: UInt16 = 0x8000

    init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    init(_ error: ErrorReport) {
        if let index = ErrnoCatalogue.index(named: error.name) {
            rawValue = UInt16(index + 1)
        } else {
            rawValue = Self.unlisted | UInt16(truncatingIfNeeded: error.errno?.rawValue ?? 0) & ~Self.unlisted
        }
    }

    var name: String? {
        if rawValue == 0 { return nil }
        if rawValue & Self.unlisted == 0 { return ErrnoCatalogue.entries[Int(rawValue) - 1].name }
        return ErrnoCatalogue.entryOrUnknown(for: Errno(Int32(rawValue & ~Self.unlisted))).name
    }
}
