import CheckModel

/// What to say about a name that the catalogue does not have.
enum ErrorSuggestion {
    private static let mostNames = 6

    static func complaint(about name: String) -> String {
        if let outcome = Outcome(word: name.lowercased()), outcome.isSuccess {
            return "\(outcome.word) is a success, not an error"
        }
        if let errno = number(of: name) {
            return """
                \(ErrnoCatalogue.name(of: errno)) (errno \(errno.rawValue), \(ErrnoCatalogue.message(of: errno))) is \
                not in the catalogue: connect(2) is not known to give it
                """
        }
        let near = names(near: name)
        let advice = near.isEmpty ? "`connectd errors` lists them" : "did you mean \(near.joined(separator: ", "))?"
        return "the catalogue has no error \"\(name.prefix(60))\"; \(advice)"
    }

    /// Another error number of Linux, by its digits or its name.
    private static func number(of name: String) -> Errno? {
        let known = (1...133).map { Errno($0) }
        if let digits = Int32(name) { return known.first { $0.rawValue == digits } }
        return known.first { ErrnoCatalogue.name(of: $0) == name.uppercased() }
    }

    /// Names that are written alike, that hold the text, or whose class it is; the nearest first.
    static func names(near name: String) -> [String] {
        let wanted = name.uppercased()
        guard (2...64).contains(wanted.utf8.count) else { return [] }
        let ranked = ErrnoCatalogue.entries.compactMap { entry -> (name: String, rank: Int)? in
            let distance = Spelling.distance(wanted, entry.name)
            if distance <= max(1, min(3, wanted.utf8.count / 3)) { return (entry.name, distance) }
            if contains(entry.name, wanted) { return (entry.name, 10) }
            return entry.errorClass.rawValue == name.lowercased() ? (entry.name, 11) : nil
        }
        return ranked.sorted { $0.rank < $1.rank }.prefix(mostNames).map(\.name)
    }

    private static func contains(_ name: String, _ part: String) -> Bool {
        var rest = Substring(name)
        while !rest.isEmpty {
            if rest.hasPrefix(part) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
