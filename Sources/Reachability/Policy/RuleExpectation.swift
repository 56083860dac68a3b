package import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes

/// What a rule expects of each of its cases.
package enum RuleExpectation: Hashable, Sendable {
    /// The transport's success.
    case open
    /// `open`, or refused or reset by the target itself.
    case allowed
    /// Refused by the target itself.
    case closed
    /// Blocked on the way.
    case blocked
    /// Outcomes, as in a check.
    case outcomes(Expectation)

    /// The words with a meaning of their own.
    package static let words = ["open", "allowed", "closed", "blocked"]

    /// As it is written in a file: `blocked`, `!connected`, `refused, timeout`.
    package var text: String {
        switch self {
        case .open: "open"
        case .allowed: "allowed"
        case .closed: "closed"
        case .blocked: "blocked"
        case .outcomes(.transportSuccess): "open"
        case .outcomes(.not(let outcome)): "!\(outcome.word)"
        case .outcomes(.oneOf(let outcomes)): outcomes.map(\.word).joined(separator: ", ")
        }
    }

    /// Reads one word: `blocked`, `refused`, `!connected`.
    /// - Throws: why it is invalid, as a predicate.
    package init(parsing text: String) throws(PolicyError) {
        switch text {
        case "open": self = .open
        case "allowed": self = .allowed
        case "closed": self = .closed
        case "blocked": self = .blocked
        case _ where text.hasPrefix("!"): self = .outcomes(.not(try Self.outcome(text.dropFirst())))
        case _: self = .outcomes(.oneOf([try Self.outcome(text[...])]))
        }
    }

    /// Reads a list of outcomes.
    package init(anyOf texts: [String]) throws(PolicyError) {
        var outcomes: [Outcome] = []
        for text in texts { outcomes.append(try Self.outcome(text[...])) }
        self = .outcomes(.oneOf(outcomes))
    }

    private static func outcome(_ text: Substring) throws(PolicyError) -> Outcome {
        guard let outcome = Outcome(word: text) else {
            let guess = Spelling.nearest(to: String(text), among: words + usefulOutcomes.map(\.word))
            let suggestion = guess.map { " (did you mean \($0)?)" } ?? ""
            throw PolicyError(
                """
                is not an expectation\(suggestion): write open, allowed, closed or blocked, or an outcome: \
                \(usefulOutcomes.map(\.word).joined(separator: ", "))
                """)
        }
        guard usefulOutcomes.contains(outcome) else {
            throw PolicyError(
                """
                can never pass, because a check that ends so says nothing about the target: write open, allowed, closed \
                or blocked
                """)
        }
        return outcome
    }

    /// The outcomes that say something about the target or the path to it.
    private static let usefulOutcomes = Outcome.all.filter { outcome in
        switch outcome {
        case .connected, .associated, .answered: true
        case .failed(let errorClass): errorClass.isAboutTarget
        }
    }
}

extension ErrorClass {
    /// Whether an error of the class can have the fault target or network.
    fileprivate var isAboutTarget: Bool {
        switch self {
        case .refused, .reset, .timeout, .unreachable, .noSuchSocket, .backlogFull, .closedEarly, .tlsFailed,
            .dialogFailed, .unclassified:
            true
        case .notPermitted, .badPath, .wrongType, .proberMisconfigured, .proberExhausted, .resolveFailed, .denied,
            .invalid, .cancelled, .internal:
            false
        }
    }
}
