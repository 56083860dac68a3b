import ArgumentParser
import CLinux
import ConnectAPI
import ErrorCatalogue
import NetworkTypes

/// `connectd errors`: the errno catalogue for people.
struct ErrorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors",
        abstract: "Explain an errno: what it means to connect(2), whose side it is on, what to do.",
        discussion: """
            Without a name it prints the table of all errors of a check: the kernel's and connectd's own.
            An outcome such as `refused` or `timeout` explains every error that has it.

            Exit status: 0, or 2 for a name that the table does not have.

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

    @Flag(help: "Print JSON, as /v1/errors answers it.")
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
        case (_, false): Output.line(ErrorTable.text(entries) + "\n\n`connectd errors NAME` explains one of them.")
        }
    }

    /// So many entries are explained in full; more are a table.
    private static let mostExplained = 4
}

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

/// What to say about a name that the catalogue does not have.
enum ErrorSuggestion {
    private static let mostNames = 6

    static func complaint(about name: String) -> String {
        if let outcome = Outcome(word: name.lowercased()), outcome.isSuccess {
            return "\(outcome.word) is a success, not an error"
        }
        if let errno = number(of: name) {
            return """
                \(ErrnoCatalogue.name(of: errno)) (errno \(errno.rawValue), \(ErrnoCatalogue.message(of: errno))) is \
                not in the catalogue: connect(2) is not known to give it
                """
        }
        let near = names(near: name)
        let advice = near.isEmpty ? "`connectd errors` lists them" : "did you mean \(near.joined(separator: ", "))?"
        return "the catalogue has no error \"\(name.prefix(60))\"; \(advice)"
    }

    /// Another error number of Linux, by its digits or its name.
    private static func number(of name: String) -> Errno? {
        let known = (1...133).map { Errno($0) }
        if let digits = Int32(name) { return known.first { $0.rawValue == digits } }
        return known.first { ErrnoCatalogue.name(of: $0) == name.uppercased() }
    }

    /// Names that are written alike, that hold the text, or whose class it is; the nearest first.
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
