internal import CLinux

/// Header lines as the library leaves them in memory: `name NUL blanks value NUL NUL`, repeated. From libmicrohttpd 1.0 on,
/// a line may end in LF, or in blanks and CR LF, instead of the last NUL.
struct HeaderLines {
    let bytes: UnsafeBufferPointer<UInt8>

    /// The value of the first header of that name at or after `position`, trimmed. Moves `position` past it.
    /// - Parameter name: in lower case. Header names are compared case-insensitively.
    func nextValue(of name: StaticString, from position: inout Int) -> UnsafeBufferPointer<UInt8>? {
        while position < bytes.count {
            let start = position
            let colon = indexOfNUL(from: start)
            let end = indexOfNUL(from: colon + 1)
            position = startOfLine(after: end)
            if hasName(name, start, colon) { return trimmed(colon + 1, end) }
        }
        return nil
    }

    private func startOfLine(after end: Int) -> Int {
        var next = end + 1
        guard next < bytes.count, ASCII.isBlank(bytes[next]) || bytes[next] == UInt8(ascii: "\r") else {
            return end + 2
        }
        while next < bytes.count, bytes[next] != UInt8(ascii: "\n") { next += 1 }
        return next + 1
    }

    private func indexOfNUL(from start: Int) -> Int {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, 0, bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private func hasName(_ name: StaticString, _ start: Int, _ end: Int) -> Bool {
        guard end - start == name.utf8CodeUnitCount else { return false }
        let other = name.utf8Start
        for offset in 0..<(end - start) where ASCII.lowercased(bytes[start + offset]) != other[offset] { return false }
        return true
    }

    private func trimmed(_ start: Int, _ end: Int) -> UnsafeBufferPointer<UInt8> {
        var start = start
        var end = end
        while start < end, ASCII.isBlank(bytes[start]) { start += 1 }
        while end > start, ASCII.isBlank(bytes[end - 1]) { end -= 1 }
        return UnsafeBufferPointer(rebasing: bytes[start..<end])
    }
}

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
