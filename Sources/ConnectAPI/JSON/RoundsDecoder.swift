internal import CheckModel
internal import StrictJSON

/// Reads `hold_ms`, `half_open`, `count` and `interval_ms`. Each is nil if absent, or invalid and reported.
struct RoundsDecoder {
    private let holdMilliseconds: Int?
    private let isHalfOpen: Bool?
    private let count: Int?
    private let intervalMilliseconds: Int?

    /// The range of durations that are not the check's timeout.
    static let milliseconds = 0...60_000

    init(_ reader: inout JSONObjectReader) {
        holdMilliseconds = reader.integer("hold_ms", in: Self.milliseconds)
        isHalfOpen = reader.bool("half_open")
        count = reader.integer("count", in: 1...CheckRequest.largestCount)
        intervalMilliseconds = reader.integer("interval_ms", in: Self.milliseconds)
    }

    func apply(to request: inout CheckRequest) {
        request.holdMilliseconds = UInt16(holdMilliseconds ?? 0)
        request.isHalfOpen = isHalfOpen ?? false
        request.count = UInt16(count ?? 1)
        request.intervalMilliseconds = UInt16(intervalMilliseconds ?? 0)
    }
}
