/// Reads the environment variables that start with `CONNECTD_`.
struct EnvironmentReader {
    var writer: SettingWriter
    private(set) var warnings: [String] = []

    init(_ writer: SettingWriter) {
        self.writer = writer
    }

    mutating func read(_ environment: [String: String]) {
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where Self.isSetting(name) {
            if let key = KeyTable.keys.first(where: { $0.environmentName == name }) {
                readValue(value, of: key, name: name)
            } else {
                let known = KeyTable.keys.filter(\.isSetByEnvironment).map(\.environmentName)
                let suggestion = Suggestion.phrase(for: name, among: known)
                warnings.append("\(Quote.plain(name)) is ignored: it is not a known key\(suggestion)")
            }
        }
    }

    /// Kubernetes sets CONNECTD_PORT… and CONNECTD_SERVICE_… for a Service named connectd.
    /// CONNECTD_COUNT_ENQUEUES is for tests of the event loop.
    private static func isSetting(_ name: String) -> Bool {
        name.hasPrefix("CONNECTD_") && !name.hasPrefix("CONNECTD_PORT") && !name.hasPrefix("CONNECTD_SERVICE_")
            && name != "CONNECTD_COUNT_ENQUEUES"
    }

    private mutating func readValue(_ value: String, of key: SettingKey, name: String) {
        let text = LocatedText(text: value, source: .environment(name), path: nil)
        switch key.kind {
        case .rules, .monitors, .entries, .labels:
            writer.report(text.problem("\(key.path) can be set only in the configuration file"))
        case .integer, .choice, .list, .flag, .text, .file:
            guard !value.isEmpty else {
                writer.report(text.problem("is empty; unset it to leave \(key.path) unchanged"))
                return
            }
            write(text, to: key)
        }
    }

    private mutating func write(_ text: LocatedText, to key: SettingKey) {
        if key.path.hasPrefix("\(FleetDraft.section).") { writer.draft.fleet.note(text) }
        switch key.kind {
        case .integer(let range, let place):
            guard let value = PlainDecimal.read(text.text) else {
                writer.report(
                    text.problem("must be an integer in plain decimal digits, got \(Quote.value(text.text))"))
                return
            }
            writer.write(value, in: range, to: place, of: text)
        case .choice(let words, let store):
            writer.write(choice: text, of: words, by: store)
        case .list(let kind):
            writer.write(list: elements(text), of: kind, origin: text)
        case .file(let place):
            writer.write(file: text, key: key.path, folder: "", to: place)
        case .flag(let place):
            guard ["true", "false"].contains(text.text) else {
                writer.report(text.problem("must be true or false, got \(Quote.value(text.text))"))
                return
            }
            writer.draft[keyPath: place] = text.text == "true"
        case .text(let kind):
            writer.write(text: text, of: kind)
        case .rules, .monitors, .entries, .labels:
            return
        }
    }

    private func elements(_ text: LocatedText) -> [LocatedText] {
        text.text.split(separator: ",", omittingEmptySubsequences: false).map { element in
            let trimmed = element.drop { $0 == " " }
            let end = trimmed.lastIndex { $0 != " " }.map(trimmed.index(after:)) ?? trimmed.startIndex
            return LocatedText(text: String(trimmed[..<end]), source: text.source, path: text.path)
        }
    }
}
