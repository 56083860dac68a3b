internal import CheckModel
@testable internal import Dialog

/// Patterns and templates of dialogs, and what a peer sends: the pattern up to the first NUL, and the bytes after it.
enum DialogFuzz {
    static func run(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let pattern = Array(parts[0])
        let received = parts.count > 1 ? Array(parts[1]) : []
        if !pattern.isEmpty { search(pattern, in: received) }
        guard let text = String(validating: pattern, as: UTF8.self) else { return }
        let first = match(text, received)
        let second = matchLine(pattern, received)
        if let first, let second, isCommon(pattern), received.allSatisfy(isPlain) {
            expect(first == second, "PCRE2 finds a match at \(first), RE2 at \(second)")
        }
        compile(text)
    }

    /// Where a pattern's first match begins; -1 without a match.
    private typealias Begin = Int

    // MARK: Patterns of requests

    /// What was found in the beginning of a stream remains true when more bytes come.
    /// - Returns: nil if the text is not a pattern, or the search was given up.
    private static func match(_ text: String, _ bytes: [UInt8]) -> Begin? {
        let pattern: Pattern
        do throws(Flaw) {
            pattern = try Pattern(text)
        } catch {
            expectMessage(error.detail)
            return nil
        }
        var budget = MatchBudget()
        let whole = pattern.match(bytes, from: 0, end: .final, budget: &budget)
        let begin: Begin
        switch whole {
        case .found(let ranges):
            expectRanges(ranges, count: pattern.groupCount, in: bytes)
            begin = ranges[0]?.lowerBound ?? 0
        case .absent: begin = -1
        case .open: fatalError("a search is open at the end of the stream")
        case .exceeded(let reason):
            expectMessage(reason)
            return nil
        }
        // Verbs, and matches that are not where the search found them, have no simple meaning in a stream.
        guard !text.contains("(*"), !text.contains("\\K"), !text.contains("(?C") else { return nil }
        for count in [bytes.count / 3, bytes.count * 2 / 3, bytes.count] {
            compare(pattern.match(Array(bytes.prefix(count)), from: 0, end: .unknown, budget: &budget), whole, count)
        }
        return begin
    }

    private static func compare(_ part: MatchResult, _ whole: MatchResult, _ count: Int) {
        let begin: Int
        switch whole {
        case .found(let ranges): begin = ranges[0]?.lowerBound ?? .max
        case .absent: begin = .max
        case .open, .exceeded: return
        }
        switch part {
        case .found(let ranges):
            guard case .found(let all) = whole else { fatalError("a match is gone") }
            expect(ranges == all, "more bytes change a match")
        case .open(let start): expect(begin >= start, "a match before the open one")
        case .absent: expect(begin >= count, "a match that was ruled out")
        case .exceeded: return
        }
    }

    // MARK: Patterns of modules

    private static func matchLine(_ text: [UInt8], _ line: [UInt8]) -> Begin? {
        let pattern: LinePattern
        do throws(Flaw) {
            pattern = try LinePattern(text)
        } catch {
            expectMessage(error.detail)
            return nil
        }
        expect(pattern.programSize > 0, "a pattern without a program")
        expect(pattern.groups.names.allSatisfy { (1...pattern.groups.count).contains($0.number) }, "no such group")
        guard let ranges = pattern.match(line) else { return -1 }
        expectRanges(ranges, count: pattern.groups.count, in: line)
        return ranges[0]?.lowerBound
    }

    private static func expectRanges(_ ranges: [Range<Int>?], count: Int, in bytes: [UInt8]) {
        expect(ranges.count == count + 1, "\(ranges.count) ranges for \(count) groups")
        for range in ranges.compactMap(\.self) {
            expect(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a group outside of the bytes")
        }
    }

    /// Whether both libraries give the pattern the same meaning in a line.
    private static func isCommon(_ pattern: [UInt8]) -> Bool {
        pattern.allSatisfy { isPlain($0) && !"\\[]{}^$&~".utf8.contains($0) } && !pattern.contains([0x28, 0x3F])
    }

    private static func isPlain(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) }

    // MARK: Bytes

    /// The search finds what a comparison at each position finds.
    private static func search(_ needle: [UInt8], in bytes: [UInt8]) {
        let slow = bytes.indices.first { bytes[$0...].starts(with: needle) }.map { $0 + needle.count }
        expect(ByteSearch(needle).end(in: bytes, from: 0) == slow, "the search disagrees with a slow one")
    }

    // MARK: Dialogs

    /// Each line is a step: `=` sends, `!` rejects, `/` is a line's pattern, and anything else is expected.
    private static func compile(_ text: String) {
        let steps = text.split(separator: "\n").map { line -> DialogStep in
            switch line.first {
            case "=": .send(text: String(line.dropFirst()))
            case "!": .reject(pattern: String(line.dropFirst()))
            case "/": .expectLine(pattern: String(line.dropFirst()), labels: [Label(name: "a", value: "$1 ${x} $$")])
            case "~": .sendExpanded(template: Array(line.utf8.dropFirst()))
            case _: .expect(pattern: String(line))
            }
        }
        do throws(DialogProblem) {
            let dialog = try Dialog(steps: steps)
            expect(dialog.steps.count == steps.count && steps.count <= 64, "another number of steps")
            for (step, groups) in dialog.keptGroups {
                expect(groups.allSatisfy { (0...dialog.groupCount(of: step)).contains($0) }, "no such group")
            }
        } catch {
            expect(steps.indices.contains(error.step), "no such step")
            expectMessage(error.detail)
        }
    }
}

extension Dialog {
    fileprivate func groupCount(of step: Int) -> Int {
        switch steps[step] {
        case .expect(let pattern): pattern.groupCount
        case .expectLine(let pattern, _): pattern.groups.count
        default: -1
        }
    }
}
