import NetworkTypes

/// One thing that is wrong with the configuration: where, which key, why.
package struct ConfigurationProblem: Hashable, Sendable {
    /// Where a value came from.
    package enum Source: Hashable, Sendable {
        /// A file, with the place in it where there is one (a file that cannot be read has none).
        case file(String, TextPosition?)
        /// A variable of the environment, by its name.
        case environment(String)
        /// A flag of the command line, as users write it: `--listen`.
        case flag(String)
    }

    package let source: Source
    /// The key, as in `policy.rules[2].cidr`; nil where the trouble is not with one key.
    package let path: String?
    /// What is wrong, in one sentence without a full stop. It never holds a secret.
    package let reason: String

    package init(_ source: Source, path: String? = nil, reason: String) {
        self.source = source
        self.path = path
        self.reason = reason
    }

    /// Where in the file; nil for other sources.
    package var position: TextPosition? {
        switch source {
        case .file(_, let position): position
        case .environment, .flag: nil
        }
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `connectd.yaml:12:7: policy.rules[2].cidr: …`, one line.
    package var description: String {
        let place =
            switch source {
            case .file(let name, let position?): "\(Quote.plain(name)):\(position.line):\(position.column)"
            case .file(let name, nil): Quote.plain(name)
            case .environment(let name), .flag(let name): name
            }
        return path.map { "\(place): \(Quote.plain($0)): \(reason)" } ?? "\(place): \(reason)"
    }
}

/// Everything that is wrong with a configuration, never empty: files first, in the order of their lines.
package struct ConfigurationProblems: Error, Hashable, Sendable {
    package let problems: [ConfigurationProblem]

    /// - Parameter problems: at least one.
    package init(_ problems: [ConfigurationProblem]) {
        // Sorted by place, stable: problems of one place stay in the order in which they were found.
        self.problems = problems.enumerated().sorted { left, right in
            let (leftRank, rightRank) = (Self.rank(left.element), Self.rank(right.element))
            return leftRank == rightRank ? left.offset < right.offset : leftRank < rightRank
        }.map(\.element)
    }

    private static func rank(_ problem: ConfigurationProblem) -> (Int, TextPosition) {
        let start = TextPosition(line: 0, column: 0)
        return switch problem.source {
        case .file(_, let position): (0, position ?? start)
        case .environment: (1, start)
        case .flag: (2, start)
        }
    }
}

extension ConfigurationProblems: CustomStringConvertible {
    /// A line for each problem.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

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

    /// A word that is not one of those that a key takes.
    static func noneOf(_ words: [String]) -> ValueRefusal {
        ValueRefusal("is not one of \(words.joined(separator: ", "))")
    }

    /// The reason as a whole, with the value that was refused.
    func about(_ value: some StringProtocol) -> String {
        isSentence ? reason : "\(Quote.value(value)) \(reason)"
    }
}

/// The word that a user probably meant.
enum Suggestion {
    /// ` (did you mean "queue"?)`, or nothing where no word is near.
    static func phrase(for word: String, among words: [String]) -> String {
        Spelling.nearest(to: word, among: words).map { " (did you mean \"\($0)\"?)" } ?? ""
    }
}

/// Shows text of others inside a message: short, and without characters that would disturb a terminal or a log.
enum Quote {
    /// In quotation marks, at most 60 characters.
    static func value(_ text: some StringProtocol) -> String {
        let shown = plain(text.prefix(60))
        return text.count > 60 ? "\"\(shown)…\"" : "\"\(shown)\""
    }

    /// The name of a file, in full.
    static func file(_ path: String) -> String { "\"\(plain(path))\"" }

    /// As it is, but for control characters, which become U+FFFD.
    static func plain(_ text: some StringProtocol) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
