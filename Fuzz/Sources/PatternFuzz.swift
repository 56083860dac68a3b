@testable internal import AccessPolicy
internal import NetworkTypes

/// Patterns of hosts, paths and targets in policies: the pattern in the first line, and the text to match after it.
enum PatternFuzz {
    /// A match agrees with `GlobReference`.
    static func run(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let pattern = String(validating: lines[0], as: UTF8.self) else { return }
        let text = lines.count > 1 ? Array(lines[1]) : []
        matchHost(pattern, text)
        matchPath(pattern, text)
        matchTarget(pattern, text)
        readPorts(pattern)
    }

    private static func matchHost(_ text: String, _ bytes: [UInt8]) {
        guard let name = String(validating: bytes, as: UTF8.self) else { return }
        do throws(PolicyRuleError) {
            let pattern = try HostPattern(text)
            let matches = pattern.matches(name)
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return }
            var glob = folded(text)
            // `*` as the first label matches one label or more.
            if glob.prefix(while: { $0 != UInt8(ascii: ".") }) == [UInt8(ascii: "*")] {
                glob = [UInt8(ascii: "*")] + glob
            }
            let expected = GlobReference(glob, separator: UInt8(ascii: ".")).matches(folded(name))
            expect(expected == nil || matches == expected, "\(text) and \(name): \(matches)")
        } catch {
            expectMessage(error.detail)
        }
    }

    private static func folded(_ text: String) -> [UInt8] {
        let bytes = text.utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        return bytes.last == UInt8(ascii: ".") ? Array(bytes.dropLast()) : bytes
    }

    private static func matchPath(_ text: String, _ bytes: [UInt8]) {
        do throws(PolicyRuleError) {
            let pattern = try PathPattern(text)
            let isAbstract = text.hasPrefix("@")
            expect(!pattern.matches(isAbstract ? .path(bytes) : .abstract(bytes)), "a socket of the other kind")
            let matches = pattern.matches(isAbstract ? .abstract(bytes) : .path(bytes))
            let glob = isAbstract ? Array(text.utf8.dropFirst()) : Array(text.utf8)
            let expected = GlobReference(glob, separator: UInt8(ascii: "/")).matches(bytes)
            expect(expected == nil || matches == expected, "\(text) and \(bytes): \(matches)")
            if !pattern.hasWildcards { expect(matches == (glob == bytes), "\(text) is not itself") }
        } catch {
            expectMessage(error.detail)
        }
    }

    /// A pattern without wildcards matches the target that it is written like, and `*` and the port match it too.
    private static func matchTarget(_ text: String, _ bytes: [UInt8]) {
        let target = String(validating: bytes, as: UTF8.self).flatMap { try? Target(parsing: $0) }
        do throws(PolicyRuleError) {
            let pattern = try TargetPattern(parsing: text)
            if let target { _ = pattern.matches(target) }
            guard !text.contains("*"), !text.contains("?"), let own = try? Target(parsing: "tcp://\(text)") else {
                return
            }
            expect(pattern.matches(own), "\(text) does not match itself")
            guard case .tcp(_, let port) = own.peer else { return }
            expect(try TargetPattern(parsing: "*:\(port)").matches(own), "* does not match \(text)")
            expect(
                try !TargetPattern(parsing: "*:\(port ^ 1 | 2)").matches(own) || port == port ^ 1 | 2, "another port")
        } catch {
            expectMessage(error.detail)
        }
    }

    private static func readPorts(_ text: String) {
        guard let range = try? PortRange(parsing: text) else { return }
        expect(range.first > 0 && range.first <= range.last, "a range without ports")
        expect((try? PortRange(parsing: range.text)) == range, "the range's own text is another range")
    }
}

/// A slow matcher of wildcards, which tries every length of each of them.
struct GlobReference {
    private let pattern: [UInt8]
    private let separator: UInt8

    init(_ pattern: [UInt8], separator: UInt8) {
        self.pattern = pattern
        self.separator = separator
    }

    /// - Returns: nil if it would take too long.
    func matches(_ text: [UInt8]) -> Bool? {
        let wildcards = pattern.count { $0 == star || $0 == UInt8(ascii: "?") }
        guard wildcards <= 5, text.count <= 40 else { return nil }
        return matches(0, text[...])
    }

    private let star = UInt8(ascii: "*")

    private func matches(_ index: Int, _ text: ArraySlice<UInt8>) -> Bool {
        guard index < pattern.count else { return text.isEmpty }
        let stars = pattern[index...].prefix { $0 == star }.count
        switch stars {
        case 0 where pattern[index] == UInt8(ascii: "?"):
            guard let first = text.first, first != separator, first & 0xC0 != 0x80 else { return false }
            // The other bytes of a character, as many as there are.
            let others = text.dropFirst().prefix { $0 & 0xC0 == 0x80 }.count
            return (0...others).contains { matches(index + 1, text.dropFirst(1 + $0)) }
        case 0:
            return text.first == pattern[index] && matches(index + 1, text.dropFirst())
        case 1:
            let longest = text.prefix { $0 != separator }.count
            return (0...longest).contains { matches(index + 1, text.dropFirst($0)) }
        default:
            let end = index + stars
            let isSegment =
                index > 0 && pattern[index - 1] == separator && end < pattern.count && pattern[end] == separator
            guard isSegment else { return (0...text.count).contains { matches(end, text.dropFirst($0)) } }
            let ends = [0] + text.indices.filter { text[$0] == separator }.map { $0 - text.startIndex + 1 }
            return ends.contains { matches(end + 1, text.dropFirst($0)) }
        }
    }
}
