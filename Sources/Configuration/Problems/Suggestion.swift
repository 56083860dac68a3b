internal import CheckModel

/// The word that a user probably meant.
enum Suggestion {
    /// ` (did you mean "queue"?)`, or nothing where no word is near.
    static func phrase(for word: String, among words: [String]) -> String {
        Spelling.nearest(to: word, among: words).map { " (did you mean \"\($0)\"?)" } ?? ""
    }
}
