/// The kind of value that a key takes, and where to store it.
enum ValueKind: Sendable {
    /// A whole number within the range.
    case integer(ClosedRange<Int>, any WritableKeyPath<SettingsDraft, Int> & Sendable)
    /// One of these words.
    case choice([String], @Sendable (inout SettingsDraft, String) -> Void)
    /// A list of strings, each validated separately.
    case list(ListKind)
    /// `true` or `false`.
    case flag(any WritableKeyPath<SettingsDraft, Bool> & Sendable)
    /// One string.
    case text(TextKind)
    /// A file name.
    case file(any WritableKeyPath<SettingsDraft, FileReference?> & Sendable)
    /// `policy.rules`, whose elements have the keys of `RuleKey`.
    case rules
    /// `monitors`, whose elements have the keys of `MonitorKey`.
    case monitors
    /// A mapping with user-defined names.
    case entries(EntryKind)
    /// `fleet.labels`, a mapping of strings.
    case labels
}

/// A list of strings: a description of its elements, and the function that stores them.
struct ListKind: Sendable {
    /// A description of one element, for the documentation.
    let element: String
    /// Whether the list may be empty.
    let mayBeEmpty: Bool
    let store: @Sendable (inout SettingsDraft, [LocatedText], inout [ConfigurationProblem]) -> Void
}

/// A string that a function parses and stores.
struct TextKind: Sendable {
    /// The type and range, for the documentation.
    let words: String
    let store: @Sendable (inout SettingsDraft, LocatedText) throws(ValueRefusal) -> Void
}

/// A string with its source.
struct LocatedText {
    let text: String
    let source: ConfigurationProblem.Source
    /// The key, with the index for list elements; nil if the source is enough.
    let path: String?

    func problem(_ reason: String) -> ConfigurationProblem {
        ConfigurationProblem(source, path: path, reason: reason)
    }
}

extension ValueKind {
    /// One of the raw values of an enum.
    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ store: @escaping @Sendable (inout SettingsDraft, Value) -> Void
    ) -> ValueKind {
        .choice(Value.allCases.map(\.rawValue)) { draft, text in
            if let value = Value(rawValue: text) { store(&draft, value) }
        }
    }

    /// A list of strings that a function parses; duplicates are rejected.
    static func list<Value: Hashable & Sendable>(
        of element: String, mayBeEmpty: Bool, parse: @escaping @Sendable (String) throws(ValueRefusal) -> Value,
        _ store: @escaping @Sendable (inout SettingsDraft, [Value]) -> Void
    ) -> ValueKind {
        .list(
            ListKind(element: element, mayBeEmpty: mayBeEmpty) { draft, texts, problems in
                var values: [Value] = []
                for text in texts {
                    do throws(ValueRefusal) {
                        let value = try parse(text.text)
                        guard !values.contains(value) else {
                            throw ValueRefusal("is a duplicate")
                        }
                        values.append(value)
                    } catch {
                        problems.append(text.problem(error.about(text.text)))
                    }
                }
                store(&draft, values)
            })
    }
}

extension ValueKind {
    /// The type and range, as in docs/configuration.md.
    var words: String {
        switch self {
        case .integer(let range, _): "integer, \(range.lowerBound)…\(range.upperBound)"
        case .choice(let words, _): words.map { "`\($0)`" }.joined(separator: ", ")
        case .list(let kind): "list: \(kind.element)" + (kind.mayBeEmpty ? "" : "; not empty")
        case .flag: "true, false"
        case .text(let kind): kind.words
        case .file: "file name"
        case .rules: "list of rules"
        case .monitors: "list of monitors"
        case .entries(let kind): "mapping: name to \(kind.words)"
        case .labels: "mapping: name to string"
        }
    }
}
