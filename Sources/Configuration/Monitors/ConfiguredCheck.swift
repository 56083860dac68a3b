package import StrictJSON

/// A check as the configuration has it: the members of `POST /v1/checks`, written in YAML.
///
/// What they mean is decided where requests are decoded; each value keeps its place, so that what is wrong there can be
/// said of the line here.
package struct ConfiguredCheck: Sendable {
    package let value: JSONValue
    let file: String
    /// The key of the configuration, as in `monitors[2].check`.
    let path: String
    /// The place of each value, by its JSON pointer.
    let places: [String: TextPosition]

    /// What is wrong with the check, said of the configuration. The reader of checks never puts a secret into it.
    package func problem(_ problem: JSONProblem) -> ConfigurationProblem {
        ConfigurationProblem(
            .file(file, place(of: problem.pointer)), path: path + Self.keys(of: problem.pointer),
            reason: problem.detail)
    }

    /// The place of the value; for a member that is missing, that of the value it is missing from.
    private func place(of pointer: String) -> TextPosition? {
        var pointer = pointer[...]
        while places[String(pointer)] == nil, let slash = pointer.lastIndex(of: "/") { pointer = pointer[..<slash] }
        return places[String(pointer)]
    }

    /// `/dialog/0/expect` as `.dialog[0].expect`.
    private static func keys(of pointer: String) -> String {
        pointer.split(separator: "/").reduce(into: "") { keys, token in
            keys += token.allSatisfy(\.isWholeNumber) ? "[\(token)]" : ".\(token)"
        }
    }
}
