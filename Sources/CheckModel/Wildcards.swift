/// A pattern of bytes with wildcards, whose segments a separator parts.
///
/// `*` stands for any bytes of a segment, also none; `**` for any bytes at all; `**` as a whole segment also for no segment
/// (`/a/**/b` matches `/a/b`); `?` for one character of a segment. There is no escape. Matching takes time in proportion
/// to the two lengths multiplied, whatever the pattern.
struct Wildcards: Hashable, Sendable {
    private enum Token: Hashable, Sendable {
        case literal(UInt8)
        case character
        /// The bytes that a character of UTF-8 has behind its first, if any.
        case continuation
        case withinSegment
        case anything
        /// Either nothing, or what `segmentsBody` takes.
        case segments
        /// Anything that ends with a separator.
        case segmentsBody
    }

    private let tokens: [Token]
    private let separator: UInt8
    /// Whether it stands for more than the one text that it is.
    let hasWildcards: Bool

    init(_ pattern: [UInt8], separator: UInt8) {
        var tokens: [Token] = []
        var index = 0
        while index < pattern.count {
            let stars = pattern[index...].prefix { $0 == UInt8(ascii: "*") }.count
            switch (pattern[index], stars) {
            case (UInt8(ascii: "?"), _):
                tokens += [.character, .continuation]
            case (_, 0):
                tokens.append(.literal(pattern[index]))
            case (_, 1):
                tokens.append(.withinSegment)
            case (_, _):
                let end = index + stars
                let isSegment = index > 0 && pattern[index - 1] == separator
                if isSegment, end < pattern.count, pattern[end] == separator {
                    tokens += [.segments, .segmentsBody]
                    index += 1
                } else {
                    tokens.append(.anything)
                }
            }
            index += max(stars, 1)
        }
        self.tokens = tokens
        self.separator = separator
        hasWildcards = pattern.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
    }

    /// Whether the pattern stands for the whole text.
    func matches(_ text: [UInt8]) -> Bool {
        var reached = [Bool](repeating: false, count: tokens.count + 1)
        reached[0] = true
        passEmpty(&reached)
        for byte in text {
            reached = step(from: reached, over: byte)
            passEmpty(&reached)
        }
        return reached[tokens.count]
    }

    /// Goes on from each place behind which a token may stand for nothing.
    private func passEmpty(_ reached: inout [Bool]) {
        for index in tokens.indices where reached[index] {
            switch tokens[index] {
            case .literal, .character, .segmentsBody: break
            case .continuation, .withinSegment, .anything: reached[index + 1] = true
            case .segments:
                reached[index + 1] = true
                reached[index + 2] = true
            }
        }
    }

    private func step(from reached: [Bool], over byte: UInt8) -> [Bool] {
        let isContinuation = byte & 0xC0 == 0x80
        var next = [Bool](repeating: false, count: reached.count)
        for index in tokens.indices where reached[index] {
            switch tokens[index] {
            case .literal(let literal): if byte == literal { next[index + 1] = true }
            case .character: if byte != separator && !isContinuation { next[index + 1] = true }
            case .continuation: if isContinuation { next[index] = true }
            case .withinSegment: if byte != separator { next[index] = true }
            case .anything: next[index] = true
            case .segments: break
            case .segmentsBody:
                next[index] = true
                if byte == separator { next[index + 1] = true }
            }
        }
        return next
    }
}
