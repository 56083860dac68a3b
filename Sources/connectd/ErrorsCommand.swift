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
            Without a name it prints the table of all that a check may end with: the kernel's errors and connectd's own.

            Exit status: 0, or 2 for a name that the table does not have.

            Examples:
              connectd errors
              connectd errors ECONNREFUSED
              connectd errors 113
              connectd errors --json nxdomain
            """)

    @Argument(
        help: "A name (ECONNREFUSED, in any case), a number (111), or a name of connectd's own (DNS_TIMEOUT).",
        completion: .list(ErrnoCatalogue.entries.map(\.name)))
    var name: String?

    @Flag(help: "Print JSON, as /v1/errors answers it.")
    var json = false

    func run() throws {
        guard let name else {
            if json { Output.bytes(CatalogueDocument.list()) } else { Output.line(ErrorTable.text) }
            return
        }
        guard let entry = CatalogueDocument.entry(name) else {
            throw ValidationError(ErrorSuggestion.complaint(about: name))
        }
        if json { Output.bytes(CatalogueDocument.bytes(of: entry)) } else { Output.line(ErrorExplanation.text(entry)) }
    }
}
