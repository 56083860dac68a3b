import ArgumentParser
import CLinux
import CheckModel
import ConnectAPI

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
