internal import NetworkTypes

/// A problem of the configuration: its source, key and reason.
package struct ConfigurationProblem: Hashable, Sendable {
    /// The source of a value.
    package enum Source: Hashable, Sendable {
        /// A file, and the position in it; nil for a file that cannot be read.
        case file(String, TextPosition?)
        /// An environment variable, by its name.
        case environment(String)
        /// A command-line flag, as users write it: `--listen`.
        case flag(String)
    }

    package let source: Source
    /// The key, as in `policy.rules[2].cidr`; nil if the problem does not concern one key.
    package let path: String?
    /// A lowercase predicate without a period, such as "must be a list, got a string". It never contains a secret.
    package let reason: String

    package init(_ source: Source, path: String? = nil, reason: String) {
        self.source = source
        self.path = path
        self.reason = reason
    }

    /// The position in the file; nil for other sources.
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

/// All problems of a configuration, at least one: those of files first, sorted by line.
package struct ConfigurationProblems: Error, Hashable, Sendable {
    package let problems: [ConfigurationProblem]

    /// - Parameter problems: at least one.
    package init(_ problems: [ConfigurationProblem]) {
        // A stable sort: problems of the same position keep their order.
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
    /// One line for each problem.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// The reason why a value is rejected.
package struct ValueRefusal: Error, Hashable {
    /// A predicate to write after the value ("has no port"), or a sentence that names the value itself.
    package let reason: String
    private let isSentence: Bool

    init(_ predicate: String) {
        reason = predicate
        isSentence = false
    }

    /// A sentence of another module that names the value; its period is dropped.
    package init(sentence: String) {
        reason = sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
        isSentence = true
    }

    /// A word that is not one of the allowed words of a key.
    static func noneOf(_ words: [String]) -> ValueRefusal {
        ValueRefusal("is not one of \(words.joined(separator: ", "))")
    }

    /// The complete reason, with the rejected value.
    func about(_ value: some StringProtocol) -> String {
        isSentence ? reason : "\(Quote.value(value)) \(reason)"
    }
}

/// Suggests the word that a user probably meant.
package enum Suggestion {
    /// ` (did you mean "queue"?)`, or an empty string if no word is similar.
    package static func phrase(for word: String, among words: [String]) -> String {
        Spelling.nearest(to: word, among: words).map { " (did you mean \"\($0)\"?)" } ?? ""
    }
}

/// Quotes untrusted text in messages: short, and safe for a terminal or a log.
package enum Quote {
    /// In quotation marks, at most 60 Unicode scalars: one character can have any number of them.
    package static func value(_ text: some StringProtocol) -> String {
        let first = text.unicodeScalars.prefix(60)
        let shown = plain(String(String.UnicodeScalarView(first)))
        return first.endIndex < text.unicodeScalars.endIndex ? "\"\(shown)…\"" : "\"\(shown)\""
    }

    /// The name of a file, in full.
    static func file(_ path: String) -> String { "\"\(plain(path))\"" }

    /// The text, with control characters replaced by U+FFFD.
    package static func plain(_ text: some StringProtocol) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
