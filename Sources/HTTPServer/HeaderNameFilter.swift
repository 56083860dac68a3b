/// Which header names may occur in a request: a Bloom filter of 64 bits over length and first letter. Most lookups are for
/// absent headers, and need no search of the lines.
public struct HeaderNameFilter: Sendable {
    private var bits: UInt64 = 0

    init() {}

    mutating func insert(_ name: UnsafeBufferPointer<UInt8>) {
        guard let first = name.first else { return }
        bits |= Self.bit(first, name.count)
    }

    /// Whether a header of that name may be present; never false for a header that is.
    /// - Parameter name: not empty.
    func mayContain(_ name: StaticString) -> Bool {
        bits & Self.bit(name.utf8Start.pointee, name.utf8CodeUnitCount) != 0
    }

    /// `| 0x20` ignores the case of letters. Other collisions only make the filter less selective.
    private static func bit(_ first: UInt8, _ count: Int) -> UInt64 {
        1 << UInt64(truncatingIfNeeded: (Int(first | 0x20) &* 7 &+ count) & 63)
    }
}
