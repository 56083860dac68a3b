/// Why a value is not taken.
struct ValueRefusal: Error, Hashable {
    /// A predicate that goes on behind the value ("has no port"), or a sentence that names the value itself.
    let reason: String
    private let isSentence: Bool

    init(_ predicate: String) {
        reason = predicate
        isSentence = false
    }

    /// A sentence of another module that names the value; its full stop is dropped.
    init(sentence: String) {
        reason = sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
        isSentence = true
    }

    /// A word that is none of those that a key takes.
    static func noneOf(_ words: [String]) -> ValueRefusal {
        ValueRefusal("is none of \(words.joined(separator: ", "))")
    }

    /// The reason as a whole, with the value that was refused.
    func about(_ value: some StringProtocol) -> String {
        isSentence ? reason : "\(Quote.value(value)) \(reason)"
    }
}
