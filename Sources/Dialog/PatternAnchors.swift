/// The anchors of a pattern for the begin of what it looks at, rewritten for a stream that is matched step by step.
///
/// A step's stream begins where the last match ended. PCRE2 sees a buffer with context before that point, and may search
/// from a later point, when the bytes before it were searched already. So `\A` and `\G` both mean the end of the last
/// match, and `^` matches there too.
struct PatternAnchors {
    /// For a search that begins anywhere but at the end of a match; nil: the pattern as it is will do.
    private(set) var atStart: [UInt8]?
    /// For a search that begins at the end of a match; nil: it has no such anchor.
    private(set) var afterMatch: [UInt8]?

    init(_ pattern: [UInt8]) {
        var atStart: [UInt8] = []
        var afterMatch: [UInt8] = []
        var hasAnchor = false
        var rest = pattern[...]
        while !rest.isEmpty {
            let token = Self.takeToken(&rest)
            switch token {
            case Self.caret:
                hasAnchor = true
                atStart += token
                afterMatch += #"(?:^|\G)"#.utf8
            case Self.subjectStart, Self.searchStart:
                hasAnchor = true
                atStart += Self.subjectStart
                afterMatch += Self.searchStart
            case _:
                atStart += token
                afterMatch += token
            }
        }
        guard hasAnchor else { return }
        self.afterMatch = afterMatch
        if atStart != pattern { self.atStart = atStart }
    }

    private static let caret = Array("^".utf8)[...]
    private static let subjectStart = Array(#"\A"#.utf8)[...]
    private static let searchStart = Array(#"\G"#.utf8)[...]

    /// Takes the next piece of a pattern that is an anchor, or has none in it.
    private static func takeToken(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let count: Int
        switch rest.first {
        case UInt8(ascii: "\\"): count = escapeCount(rest)
        case UInt8(ascii: "["): count = classCount(rest)
        case UInt8(ascii: "(") where rest.starts(with: "(?#".utf8) || rest.starts(with: "(*".utf8):
            count = self.count(of: rest, through: ")")
        // A callout with a string has quotation rules of its own: anchors after it are left alone.
        case UInt8(ascii: "(") where rest.starts(with: "(?C".utf8): count = rest.count
        case _: count = 1
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// Of `\x` with the character after it, or of all from `\Q` to `\E`.
    private static func escapeCount(_ rest: ArraySlice<UInt8>) -> Int {
        rest.starts(with: #"\Q"#.utf8) ? count(of: rest, through: #"\E"#) : min(2, rest.count)
    }

    /// Of a class in brackets, with classes such as `[:alpha:]` in it.
    private static func classCount(_ rest: ArraySlice<UInt8>) -> Int {
        var index = rest.startIndex + 1
        if index < rest.endIndex, rest[index] == UInt8(ascii: "^") { index += 1 }
        // A bracket that comes first is a member.
        if index < rest.endIndex, rest[index] == UInt8(ascii: "]") { index += 1 }
        while index < rest.endIndex {
            switch rest[index] {
            case UInt8(ascii: "]"): return index + 1 - rest.startIndex
            case UInt8(ascii: "\\"): index += escapeCount(rest[index...])
            case UInt8(ascii: "[") where rest[index...].starts(with: "[:".utf8):
                let end = rest[index...].firstRange(of: Array(":]".utf8))?.upperBound
                index = end ?? index + 1
            case _: index += 1
            }
        }
        return rest.count
    }

    private static func count(of rest: ArraySlice<UInt8>, through end: String) -> Int {
        rest.firstRange(of: Array(end.utf8)).map { $0.upperBound - rest.startIndex } ?? rest.count
    }
}
