/// Which header names may occur in a request: a Bloom filter of one word, by length and first letter. Most names that are
/// asked for are absent in most requests, and are known to be so without a walk over the lines.
public struct HeaderNameFilter: Sendable {
    private var bits: UInt64 = 0

    init() {}

    mutating func insert(_ name: UnsafeBufferPointer<UInt8>) {
        guard let first = name.first else { return }
        bits |= Self.bit(first, name.count)
    }

    /// Whether a header of that name may be there; never false for one that is.
    /// - Parameter name: not empty.
    func mayContain(_ name: StaticString) -> Bool {
        bits & Self.bit(name.utf8Start.pointee, name.utf8CodeUnitCount) != 0
    }

    /// Letters of either case are alike; what else that throws together only makes the filter coarser.
    private static func bit(_ first: UInt8, _ count: Int) -> UInt64 {
        1 << UInt64(truncatingIfNeeded: (Int(first | 0x20) &* 7 &+ count) & 63)
    }
}
