package import CheckModel
internal import StrictJSON

/// Reads `expect`: an outcome, `!` and an outcome, or a list of outcomes.
package enum ExpectationDecoder {
    static func expectation(_ cursor: inout JSONCursor) -> Expectation? {
        switch cursor.value {
        case .string(let text):
            if text.hasPrefix("!") { return outcome(text.dropFirst(), &cursor).map(Expectation.not) }
            return outcome(text, &cursor).map { .oneOf([$0]) }
        case .array:
            return cursor.array(count: 1...Outcome.all.count) { element in
                element.string().flatMap { outcome($0, &element) }
            }.map(Expectation.oneOf)
        case .null, .bool, .integer, .number, .object:
            cursor.reportMismatch(expected: "an outcome or an array of outcomes")
            return nil
        }
    }

    /// The same in a query: an outcome, `!` and an outcome, or outcomes with commas between them.
    package static func expectation(parsing text: String) -> Expectation? {
        if text.hasPrefix("!") { return Outcome(word: text.dropFirst()).map(Expectation.not) }
        let outcomes = text.split(separator: ",", omittingEmptySubsequences: false).map { Outcome(word: $0) }
        let known = outcomes.compactMap { $0 }
        return known.count == outcomes.count ? .oneOf(known) : nil
    }

    package static var knownWords: String { Outcome.all.map(\.word).joined(separator: ", ") }

    private static func outcome(_ text: some StringProtocol, _ cursor: inout JSONCursor) -> Outcome? {
        guard let outcome = Outcome(word: text) else {
            cursor.report("must be one of: \(knownWords); \"!\" before one means any other")
            return nil
        }
        return outcome
    }
}
