import CheckModel

/// One entry of the catalogue, for a person.
enum ErrorExplanation {
    private static let columns = 100

    static func text(_ entry: ErrorCatalogueEntry) -> String {
        let number = entry.errno.map { " (\($0.rawValue))" } ?? ""
        let names = ([entry.name] + entry.aliases).joined(separator: ", ")
        let rows: [(String, String?)] = [
            ("class", entry.errorClass.rawValue), ("fault", entry.fault.rawValue),
            ("retryable", entry.retryable ? "yes" : "no"), ("when", entry.when), ("linux", entry.linux),
            ("hint", CommandLineHint(entry.hint).text()),
        ]
        let lines = rows.compactMap { name, value in value.map { row(name, $0) } }
        return (["\(names)\(number): \(entry.message)"] + lines).joined(separator: "\n")
    }

    private static func row(_ name: String, _ value: String) -> String {
        let label = "  " + name.padded(to: 11)
        let indent = String(repeating: " ", count: label.count)
        return label + wrapped(value, to: columns - label.count).joined(separator: "\n" + indent)
    }

    /// Breaks at spaces; a word that is longer has a line to itself.
    static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

/// Entries of the catalogue, a line for each.
enum ErrorTable {
    static func text(_ entries: [ErrorCatalogueEntry]) -> String {
        let rows = entries.map { entry in
            [
                entry.errno.map { String($0.rawValue) } ?? "-", entry.name, entry.errorClass.rawValue,
                entry.fault.rawValue, entry.message,
            ]
        }
        let all = [["NO", "NAME", "CLASS", "FAULT", "MESSAGE"]] + rows
        let widths = (0..<4).map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            (zip(row, widths).map { $0.padded(to: $1) } + [row[4]]).joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
