/// The header field Accept, RFC 9110 section 12.5.1.
struct AcceptHeader {
    private struct MediaRange {
        let type: Substring
        let quality: Double
    }

    /// How well a type matches: the quality, then how exactly it is named, then the place in the list.
    private struct Match {
        let quality: Double
        let exactness: Int
        let place: Int
    }

    private let ranges: [MediaRange]

    /// - Parameter fields: the values of all such fields; they count as one list.
    init(_ fields: [String]) {
        ranges = fields.flatMap { Self.elements(of: $0) }.compactMap(Self.range)
    }

    /// Whether the client prefers `type` to `other`. With equal quality, the type that is named more exactly is preferred,
    /// then the one that is named first. Without the field, `other` is.
    func prefers(_ type: String, to other: String) -> Bool {
        guard let match = match(type), match.quality > 0 else { return false }
        guard let otherMatch = self.match(other) else { return true }
        if match.quality != otherMatch.quality { return match.quality > otherMatch.quality }
        if match.exactness != otherMatch.exactness { return match.exactness > otherMatch.exactness }
        return match.place < otherMatch.place
    }

    /// The most exact range decides about a type.
    private func match(_ type: String) -> Match? {
        let group = type.prefix { $0 != "/" } + "/*"
        var best: Match?
        for (place, range) in ranges.enumerated() {
            let exactness = range.type == type ? 2 : range.type == group ? 1 : range.type == "*/*" ? 0 : -1
            guard exactness > best?.exactness ?? -1 else { continue }
            best = Match(quality: range.quality, exactness: exactness, place: place)
        }
        return best
    }

    /// Splits a list at its commas, except those in quoted strings.
    private static func elements(of field: String) -> [Substring] {
        var isQuoted = false
        return field.lowercased().split { character in
            if character == "\"" { isQuoted.toggle() }
            return character == "," && !isQuoted
        }
    }

    private static func range(_ element: Substring) -> MediaRange? {
        let parts = element.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
        guard let type = parts.first, !type.isEmpty else { return nil }
        let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
        return MediaRange(type: Substring(type), quality: weight.map { min(max($0, 0), 1) } ?? 1)
    }
}
