import ArgumentParser
import CheckModel

@main
struct Connectd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connectd",
        abstract: "Can this machine connect to that target, and if not, exactly why?",
        discussion: """
            Examples:
              connectd serve
              connectd check db.internal:5432
              curl --json '{"target":"db.internal:5432"}' localhost:8080/v1/checks
            """,
        version: Version.text,
        subcommands: [ServeCommand.self, CheckCommand.self])

    static func main() {
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch let error as ValidationError {
                end(complaint(error, about: type(of: command)), exitCode(for: error))
            }
        } catch {
            end(fullMessage(for: error), exitCode(for: error))
        }
    }

    /// Without a subcommand there is nothing to do, which is wrong usage: the help goes to standard error.
    func run() throws {
        Output.errorLine(Self.helpMessage())
        throw ExitCode.validationFailure
    }

    /// What the library would say, with the usage of the subcommand that was asked for instead of the root's.
    private static func complaint(_ error: ValidationError, about command: any ParsableCommand.Type) -> String {
        let name = [configuration, command.configuration].compactMap(\.commandName).joined(separator: " ")
        return """
            Error: \(error.message)
            Usage: \(usageString(for: command))
              See '\(name) --help' for more information.
            """
    }

    /// Exit codes of our own: 2 is wrong usage, everywhere, where the library would say 64.
    private static func end(_ message: String, _ code: ExitCode) {
        if !message.isEmpty { code == .success ? Output.line(message) : Output.errorLine(message) }
        endProcess(code == .validationFailure ? 2 : code.rawValue)
    }
}
