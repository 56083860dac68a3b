/// What a key takes, and where its value goes.
enum ValueKind: Sendable {
    /// A whole number within the range.
    case integer(ClosedRange<Int>, any WritableKeyPath<SettingsDraft, Int> & Sendable)
    /// One of these words.
    case choice([String], @Sendable (inout SettingsDraft, String) -> Void)
    /// Texts, each judged by itself.
    case list(ListKind)
    /// The name of a file.
    case file(any WritableKeyPath<SettingsDraft, FileReference?> & Sendable)
    /// `policy.rules`: its elements have keys of their own, RuleKey.
    case rules
    /// `monitors`: its elements have keys of their own, MonitorKey.
    case monitors
    /// A mapping from names of the user's choice.
    case entries(EntryKind)
    /// A key of a later version.
    case later
}

/// A list of texts: what its elements are, and the function that takes them over.
struct ListKind: Sendable {
    /// What one element is, for the documentation.
    let element: String
    /// Whether the list may be empty.
    let mayBeEmpty: Bool
    let store: @Sendable (inout SettingsDraft, [LocatedText], inout [ConfigurationProblem]) -> Void
}

/// A text with where it came from.
struct LocatedText {
    let text: String
    let source: ConfigurationProblem.Source
    /// The key, for elements of a list with the index; nil where the source alone says enough.
    let path: String?

    func problem(_ reason: String) -> ConfigurationProblem {
        ConfigurationProblem(source, path: path, reason: reason)
    }
}

extension ValueKind {
    /// One of the words of an enum.
    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ store: @escaping @Sendable (inout SettingsDraft, Value) -> Void
    ) -> ValueKind {
        .choice(Value.allCases.map(\.rawValue)) { draft, text in
            if let value = Value(rawValue: text) { store(&draft, value) }
        }
    }

    /// Texts that a function parses; an element that is there twice is refused.
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
    /// Type and range as docs/configuration.md shows them.
    var words: String {
        switch self {
        case .integer(let range, _): "integer, \(range.lowerBound)…\(range.upperBound)"
        case .choice(let words, _): words.map { "`\($0)`" }.joined(separator: ", ")
        case .list(let kind): "list: \(kind.element)" + (kind.mayBeEmpty ? "" : "; not empty")
        case .file: "file name"
        case .rules: "list of rules"
        case .monitors: "list of monitors"
        case .entries(let kind): "mapping: name to \(kind.words)"
        case .later: "not in this version"
        }
    }
}
