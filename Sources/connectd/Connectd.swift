import ArgumentParser
import CheckModel

@main
struct Connectd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connectd",
        abstract: "Can this machine connect to that target, and if not, exactly why?",
        version: Version.text,
        subcommands: [ServeCommand.self, CheckCommand.self])

    /// Exit codes of our own: 2 is wrong usage, everywhere, where the library would say 64.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if !message.isEmpty { code == .success ? Output.line(message) : Output.errorLine(message) }
            endProcess(code == .validationFailure ? 2 : code.rawValue)
        }
    }
}
