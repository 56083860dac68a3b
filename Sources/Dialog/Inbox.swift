internal import CheckModel

/// What the peer has sent and no step has matched, with some context before it.
struct Inbox {
    private(set) var bytes: [UInt8] = []
    /// Where the next search begins: after the previous match, and after what cannot match any more.
    private(set) var start = 0
    /// Where the next search for rejected patterns begins; `start` if there are none.
    private(set) var rejectStart = 0
    /// Where the previous match ended, as long as the context reaches back to it; 0 at first, and where it does not.
    private(set) var lastMatchEnd = 0
    private var hasRejects = false
    /// Something was received that no search has seen, at least an empty datagram.
    private(set) var hasNews = false
    /// How many unmatched bytes are kept; the oldest are dropped.
    var capacity = DialogLimits.unmatchedBytes

    var unmatchedCount: Int { bytes.count - start }

    mutating func append(_ new: [UInt8]) {
        bytes += new
        hasNews = true
        start = max(start, bytes.count - capacity)
        rejectStart = hasRejects ? max(rejectStart, bytes.count - capacity) : start
        let firstNeeded = min(start, rejectStart)
        // Moving the bytes to the front costs as much as copying them: not for a few of them.
        if firstNeeded > 4 * DialogLimits.contextBytes {
            let surplus = firstNeeded - DialogLimits.contextBytes
            bytes.removeFirst(surplus)
            start -= surplus
            rejectStart -= surplus
            lastMatchEnd = max(lastMatchEnd - surplus, 0)
        }
    }

    /// A search has seen everything, and found that no match begins before `offset`.
    mutating func skip(to offset: Int) {
        start = max(start, offset)
        if !hasRejects { rejectStart = start }
        hasNews = false
    }

    /// The same, for a search for rejected patterns.
    mutating func skipRejects(to offset: Int) {
        rejectStart = max(rejectStart, offset)
    }

    /// Keeps bytes for rejected patterns until the next match.
    mutating func keepForRejects() {
        hasRejects = true
    }

    /// Ends a match at `offset`: the next step looks at the bytes after it.
    mutating func consume(to offset: Int) {
        start = max(start, offset)
        lastMatchEnd = start
        rejectStart = start
        hasRejects = false
        hasNews = start < bytes.count
    }

    /// A new step looks at what earlier ones have left.
    mutating func beginStep() {
        hasNews = hasNews || start < bytes.count
    }
}

// What a peer may have sent in plain text before TLS.
extension Inbox {
    /// The peer's go-ahead for TLS, as far as it has come: the line in which the last match ended, which may have more in it,
    /// and the further lines of a reply of many: `220-…` up to `220 …`.
    struct GoAhead {
        /// The index after it. Bytes from here on could be mistaken for part of the secured conversation (CVE-2011-0411).
        let end: Int
        /// Whether its last line is complete; if not, all bytes received so far belong to it.
        let isWhole: Bool
        /// Whether it begins with the three digits of a reply. Every protocol with such replies marks their last line.
        let isReply: Bool
    }

    /// - Parameter hasMatched: whether a step has matched; without a match, no byte belongs to the go-ahead.
    func goAhead(hasMatched: Bool) -> GoAhead {
        guard hasMatched else { return GoAhead(end: start, isWhole: true, isReply: false) }
        let lineStart = start > 0 ? bytes[..<(start - 1)].lastIndex(of: Self.lineEnd).map { $0 + 1 } ?? 0 : 0
        var end = start
        if start == 0 || bytes[start - 1] != Self.lineEnd { end = Self.end(ofLineIn: bytes[start...]) }
        let line = bytes[lineStart..<end]
        let code = line.prefix(3)
        let isReply = code.count == 3 && code.allSatisfy { (0x30...0x39).contains($0) }
        guard isReply, Self.hasContinuation(line) else {
            return GoAhead(end: end, isWhole: line.last == Self.lineEnd, isReply: isReply)
        }
        return reply(code, after: end)
    }

    /// Reads a reply of several lines, after a line that ends at `end` and has a continuation.
    private func reply(_ code: ArraySlice<UInt8>, after end: Int) -> GoAhead {
        var end = end
        var isContinued = true
        while isContinued, end < bytes.endIndex,
            bytes[end...].prefix(3).elementsEqual(code.prefix(bytes.endIndex - end))
        {
            let lineStart = end
            end = Self.end(ofLineIn: bytes[lineStart...])
            isContinued = Self.hasContinuation(bytes[lineStart..<end])
        }
        // Bytes that follow a complete reply do not belong to it.
        let isCut = end == bytes.endIndex && (isContinued || bytes.last != Self.lineEnd)
        return GoAhead(end: end, isWhole: !isCut, isReply: true)
    }

    private static let lineEnd = UInt8(ascii: "\n")

    /// Whether a further line follows: `220-`.
    private static func hasContinuation(_ line: ArraySlice<UInt8>) -> Bool {
        line.dropFirst(3).first == UInt8(ascii: "-")
    }

    private static func end(ofLineIn bytes: ArraySlice<UInt8>) -> Int {
        bytes.firstIndex(of: lineEnd).map { $0 + 1 } ?? bytes.endIndex
    }
}

/// What a dialog remembers of its matches.
struct DialogMemory {
    private let dialog: Dialog
    /// Values of the groups that later steps send.
    private(set) var values: [GroupKey: [UInt8]] = [:]
    /// Named groups for the report, in the order in which they matched; a later match of a name replaces its value.
    private(set) var groups: [Label] = []

    init(dialog: Dialog) {
        self.dialog = dialog
    }

    mutating func note(_ ranges: [Range<Int>?], of pattern: PatternGroups, step: Int, in bytes: [UInt8]) {
        for group in dialog.keptGroups[step] ?? [] {
            // A group is never longer than what is kept of unmatched bytes.
            values[GroupKey(step: step, group: group)] = ranges[group].map { Array(bytes[$0]) }
        }
        for named in pattern.names {
            guard let range = ranges[named.number] else { continue }
            let isKnown = groups.contains { $0.name == named.name }
            guard isKnown || groups.count < DialogLimits.namedGroups else { continue }
            groups.removeAll { $0.name == named.name }
            groups.append(Label(name: named.name, value: PrintableBytes.text(bytes[range])))
        }
    }

    /// The labels with the values of their step, at most 1 KiB of each.
    func filled(_ labels: [LabelTemplate]) -> [Label] {
        labels.map { label in
            Label(name: label.name, value: PrintableBytes.text((label.value.filled(with: values) ?? [])[...]))
        }
    }
}

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

    /// The end of the first occurrence that begins at `start` or later.
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
