/// Puts values of any source into the draft, and gathers what is wrong with them.
struct SettingWriter {
    var draft = SettingsDraft()
    private(set) var problems: [ConfigurationProblem] = []

    mutating func report(_ problem: ConfigurationProblem) {
        problems.append(problem)
    }

    mutating func report(_ newProblems: [ConfigurationProblem]) {
        problems += newProblems
    }

    mutating func write(
        _ value: Int, in range: ClosedRange<Int>, to place: WritableKeyPath<SettingsDraft, Int>, of origin: LocatedText
    ) {
        guard range.contains(value) else {
            report(origin.problem("\(origin.text) is out of range: \(range.lowerBound) to \(range.upperBound)"))
            return
        }
        draft[keyPath: place] = value
    }

    mutating func write(
        choice text: LocatedText, of words: [String], by store: (inout SettingsDraft, String) -> Void
    ) {
        guard words.contains(text.text) else {
            report(text.problem(ValueRefusal.noneOf(words).about(text.text)))
            return
        }
        store(&draft, text.text)
    }

    mutating func write(list texts: [LocatedText], of kind: ListKind, origin: LocatedText) {
        guard kind.mayBeEmpty || !texts.isEmpty else {
            report(origin.problem("must not be empty"))
            return
        }
        kind.store(&draft, texts, &problems)
    }

    /// - Parameter folder: What a relative name is relative to; empty for the working directory.
    mutating func write(
        file text: LocatedText, key: String, folder: String, to place: WritableKeyPath<SettingsDraft, FileReference?>
    ) {
        guard let reference = fileReference(text, key: key, folder: folder) else { return }
        draft[keyPath: place] = reference
    }

    mutating func fileReference(_ text: LocatedText, key: String, folder: String) -> FileReference? {
        guard !text.text.isEmpty, !text.text.utf8.contains(0) else {
            report(text.problem("must be the name of a file"))
            return nil
        }
        let path = text.text.hasPrefix("/") ? text.text : folder + text.text
        return FileReference(path: path, source: text.source, key: key)
    }
}
