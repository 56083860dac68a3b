internal import CRE2
internal import NetworkTypes

/// A compiled regular expression over one line: RE2, with the meaning that Go's package `regexp` gives it.
///
/// It matches characters, not bytes. A byte that is not part of valid UTF-8 is one character, U+FFFD.
final class LinePattern: Sendable {
    // SAFETY: RE2's methods that only read may run on several threads at once (re2.h); `deinit` alone frees it, after the
    // last reference is gone.
    private nonisolated(unsafe) let code: OpaquePointer
    let groups: PatternGroups
    /// RE2's instructions: a match takes at most time in proportion to them and to the length of the line.
    let programSize: Int

    /// The memory for a program and the states that RE2 caches for it. Most programs fit in the first size.
    private static let memorySizes: [Int64] = [1 << 19, 1 << 22, 1 << 25, maximumMemory]
    private static let maximumMemory: Int64 = 1 << 28

    init(_ text: [UInt8]) throws(Flaw) {
        let syntax = try GoSyntax(text)
        var compiled: OpaquePointer?
        for memory in Self.memorySizes where compiled == nil {
            compiled = try Self.compile(syntax.pattern, memory: memory)
        }
        guard let compiled else {
            throw Flaw("is too large: compiled, it takes more than \(Self.maximumMemory >> 20) MiB")
        }
        code = compiled
        groups = PatternGroups(count: connectd_re2_group_count(compiled), names: syntax.names)
        programSize = connectd_re2_program_size(compiled)
    }

    deinit {
        connectd_re2_free(code)
    }

    /// - Returns: nil if the program needs more memory.
    private static func compile(_ pattern: [UInt8], memory: Int64) throws(Flaw) -> OpaquePointer? {
        var status = CONNECTD_RE2_OK
        var compiled: OpaquePointer?
        // The zero after the end is not part of the pattern: it gives an empty one an address.
        let terminated = pattern + [0]
        let message = [UInt8](unsafeUninitializedCapacity: 512) { buffer, count in
            buffer.withMemoryRebound(to: CChar.self) { text in
                // The buffer has room for the message, so it has an address.
                guard let address = text.baseAddress else { return }
                address.pointee = 0
                compiled = connectd_re2_compile(terminated, pattern.count, memory, &status, address, text.count)
            }
            count = buffer.firstIndex(of: 0) ?? 0
        }
        switch status {
        case CONNECTD_RE2_OK: return compiled
        case CONNECTD_RE2_TOO_LARGE: return nil
        case _:
            // The message quotes a part of the pattern.
            throw Flaw("is not a pattern of RE2: \(VisibleText.of(String(decoding: message, as: UTF8.self)))")
        }
    }

    /// Looks for the first match in a line.
    /// - Returns: The bytes of the groups, the whole match as group 0, nil for a group that took no part; nil without a match.
    func match(_ line: [UInt8]) -> [Range<Int>?]? {
        guard String(validating: line, as: UTF8.self) == nil else { return search(line) }
        let repaired = RepairedLine(line)
        return search(repaired.bytes)?.map { $0.map(repaired.original) }
    }

    private func search(_ text: [UInt8]) -> [Range<Int>?]? {
        var bounds = [Int](repeating: -1, count: 2 * (groups.count + 1))
        let terminated = text.isEmpty ? [0] : text
        guard connectd_re2_match(code, terminated, text.count, &bounds) == 1 else { return nil }
        return (0...groups.count).map { group in
            let (lower, upper) = (bounds[2 * group], bounds[2 * group + 1])
            return lower >= 0 ? lower..<upper : nil
        }
    }
}

/// UTF-8 as Go decodes it.
enum GoUTF8 {
    /// The length of the character at the front; 0 where its first byte is not part of valid UTF-8.
    /// - Parameter text: Not empty.
    static func length(of text: ArraySlice<UInt8>) -> Int {
        let start = text.startIndex
        let (length, second): (Int, ClosedRange<UInt8>)
        switch text[start] {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case _: return 0
        }
        guard text.count >= length, second.contains(text[start + 1]) else { return 0 }
        return text[(start + 1)..<(start + length)].allSatisfy { $0 & 0xC0 == 0x80 } ? length : 0
    }
}

/// A line with U+FFFD in the place of each byte that is not part of valid UTF-8, as Go decodes it.
private struct RepairedLine {
    private(set) var bytes: [UInt8] = []
    /// Where replacements end in `bytes`, ascending.
    private var ends: [Int] = []

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    init(_ line: [UInt8]) {
        bytes.reserveCapacity(line.count + 64)
        var rest = line[...]
        while !rest.isEmpty {
            let length = GoUTF8.length(of: rest)
            if length > 0 {
                bytes += rest.prefix(length)
                rest = rest.dropFirst(length)
            } else {
                bytes += Self.replacement
                ends.append(bytes.count)
                rest = rest.dropFirst()
            }
        }
    }

    /// The bytes of the line for a range of `bytes` that begins and ends between characters.
    func original(_ range: Range<Int>) -> Range<Int> {
        original(range.lowerBound)..<original(range.upperBound)
    }

    private func original(_ offset: Int) -> Int {
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return offset - 2 * low
    }
}
