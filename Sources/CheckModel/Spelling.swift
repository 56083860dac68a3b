/// How far words are from each other.
public enum Spelling {
    /// The Levenshtein distance, in bytes; `Int.max` where a word is over 64 bytes.
    public static func distance(_ left: String, _ right: String) -> Int {
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

    /// The word that was probably meant: at most two edits away, and no more than half of the word; nil where none is near.
    public static func nearest(to word: String, among words: some Sequence<String>) -> String? {
        let nearest = words.map { (word: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= min(2, max(1, word.count / 2)) else { return nil }
        return nearest.word
    }
}
