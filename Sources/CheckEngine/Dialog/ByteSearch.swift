/// Looks for a sequence of bytes in time linear in what it looks at: Knuth, Morris and Pratt.
struct ByteSearch: Sendable {
    let needle: [UInt8]
    /// For each length matched so far, the next shorter beginning of the needle that ends there as well.
    private let fallback: [Int]

    /// - Parameter needle: not empty.
    init(_ needle: [UInt8]) {
        self.needle = needle
        var fallback = [0]
        for index in needle.indices.dropFirst() {
            var length = fallback[index - 1]
            while length > 0, needle[length] != needle[index] { length = fallback[length - 1] }
            fallback.append(needle[length] == needle[index] ? length + 1 : 0)
        }
        self.fallback = fallback
    }

    /// The end of the first occurrence that begins at or behind `start`.
    func end(in bytes: [UInt8], from start: Int) -> Int? {
        var length = 0
        for index in start..<bytes.count {
            while length > 0, needle[length] != bytes[index] { length = fallback[length - 1] }
            if needle[length] == bytes[index] { length += 1 }
            if length == needle.count { return index + 1 }
        }
        return nil
    }
}
