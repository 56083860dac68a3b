/// The word that somebody probably meant.
package enum Suggestion {
    /// ` (did you mean "queue"?)`, or nothing where no word is near.
    static func phrase(for word: String, among words: [String]) -> String {
        let nearest = words.map { (word: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= min(2, max(1, word.count / 2)) else { return "" }
        return " (did you mean \"\(nearest.word)\"?)"
    }

    /// Levenshtein's distance; long words are far from everything.
    package static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count <= 64, right.count <= 64 else { return .max }
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let substituted = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
