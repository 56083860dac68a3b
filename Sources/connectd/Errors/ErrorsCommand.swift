import ArgumentParser
import CLinux
import ConnectAPI
import ErrorCatalogue
import NetworkTypes

/// `connectd errors`: prints the error catalogue.
struct ErrorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors",
        abstract: "Explain an error: what it means for connect(2), where the fault is, and what to do.",
        discussion: """
            Without a name it prints a table of all errors of a check: those of the kernel and those of connectd.
            An outcome such as `refused` or `timeout` explains every error with this outcome.

            Exit status: 0, or 2 if the table does not have the name.

            Examples:
              connectd errors
              connectd errors ECONNREFUSED
              connectd errors timeout
              connectd errors 113
              connectd errors --json nxdomain
            """)

    @Argument(
        help: """
            A name (ECONNREFUSED, in any case), a number (111), an outcome (refused), or a message \
            ("Connection refused").
            """,
        completion: .list(ErrnoCatalogue.entries.map(\.name)))
    var name: String?

    @Flag(help: "Print JSON, as in /v1/errors.")
    var json = false

    func run() throws {
        guard let name else {
            if json { return Output.bytes(CatalogueDocument.list()) }
            return Output.line(ErrorTable.text(ErrnoCatalogue.entries))
        }
        let entries = ErrnoCatalogue.entries(matching: name)
        guard let first = entries.first else { throw ValidationError(ErrorSuggestion.complaint(about: name)) }
        switch (entries.count, json) {
        case (1, true): Output.bytes(CatalogueDocument.bytes(of: first))
        case (_, true): Output.bytes(CatalogueDocument.list(entries))
        case (1...Self.mostExplained, false):
            Output.line(entries.map(ErrorExplanation.text).joined(separator: "\n\n"))
        case (_, false):
            Output.line(ErrorTable.text(entries) + "\n\nRun `connectd errors NAME` to explain one of them.")
        }
    }

    /// The maximum number of entries to explain in full; more become a table.
    private static let mostExplained = 4
}

/// Formats one entry of the catalogue.
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

    /// Breaks at spaces; a longer word gets its own line.
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

/// Formats entries of the catalogue as a table.
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

/// The error message for a name that the catalogue does not contain.
enum ErrorSuggestion {
    private static let mostNames = 6

    static func complaint(about name: String) -> String {
        if let outcome = Outcome(word: name.lowercased()), outcome.isSuccess {
            return "\(outcome.word) is a success, not an error"
        }
        if let errno = number(of: name) {
            return """
                \(ErrnoCatalogue.name(of: errno)) (errno \(errno.rawValue), \(ErrnoCatalogue.message(of: errno))) is \
                not in the catalog: connect(2) is not known to return it
                """
        }
        let near = names(near: name)
        let advice =
            near.isEmpty ? "run `connectd errors` to list them" : "did you mean \(near.joined(separator: ", "))?"
        return "the catalog has no error \"\(name.prefix(60))\"; \(advice)"
    }

    /// An errno of Linux outside the catalogue, by number or name.
    private static func number(of name: String) -> Errno? {
        let known = (1...133).map { Errno($0) }
        if let digits = Int32(name) { return known.first { $0.rawValue == digits } }
        return known.first { ErrnoCatalogue.name(of: $0) == name.uppercased() }
    }

    /// Names that are similar, contain the text, or have it as their class; the nearest first.
    static func names(near name: String) -> [String] {
        let wanted = name.uppercased()
        guard (2...64).contains(wanted.utf8.count) else { return [] }
        let ranked = ErrnoCatalogue.entries.compactMap { entry -> (name: String, rank: Int)? in
            let distance = Spelling.distance(wanted, entry.name)
            if distance <= max(1, min(3, wanted.utf8.count / 3)) { return (entry.name, distance) }
            if contains(entry.name, wanted) { return (entry.name, 10) }
            return entry.errorClass.rawValue == name.lowercased() ? (entry.name, 11) : nil
        }
        return ranked.sorted { $0.rank < $1.rank }.prefix(mostNames).map(\.name)
    }

    private static func contains(_ name: String, _ part: String) -> Bool {
        var rest = Substring(name)
        while !rest.isEmpty {
            if rest.hasPrefix(part) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
