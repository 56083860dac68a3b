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
              connectd wait db.internal:5432 -- ./start
              connectd errors ECONNREFUSED
              curl --json '{"target":"db.internal:5432"}' localhost:8080/v1/checks
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, CheckCommand.self, WaitCommand.self, ErrorsCommand.self, ConfigCommand.self,
            HealthcheckCommand.self, ReloadCommand.self,
        ])

    static func main() {
        Output.prepare()
        if let complaint = UnknownSubcommand.complaint(about: ProgramArguments.own) {
            end(complaint, .validationFailure)
        }
        if ProgramArguments.asksForVersion { end(Version.text, .success) }
        do {
            var command = try parseAsRoot(ProgramArguments.own)
            do {
                try command.run()
            } catch let error as ValidationError {
                end(complaint(error, about: type(of: command)), exitCode(for: error))
            }
        } catch let errno as Errno {
            end("Error: \(StartFailure.text(of: errno))", .failure)
        } catch {
            end(OptionSuggestion.completed(fullMessage(for: error)), exitCode(for: error))
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

    /// Exit codes of our own: 2 is wrong usage, where the library would say 64 and no convention of others says more.
    private static func end(_ message: String, _ code: ExitCode) {
        guard code != .success else {
            if !message.isEmpty { Output.line(message) }
            endProcess(0)
        }
        // An exit status that a command chose itself has no message.
        guard !message.isEmpty || code == .validationFailure else { endProcess(code.rawValue) }
        let convention = ProgramArguments.usage
        if !message.isEmpty { tell(message, by: convention) }
        endProcess(code == .validationFailure ? convention.usageStatus : convention.failureStatus)
    }

    private static func tell(_ message: String, by convention: UsageConvention) {
        switch convention {
        case .usual, .health:
            Output.errorLine(message)
        case .nagios:
            let reason = message.prefix { !$0.isNewline }
            Output.line(NagiosReport.line(.unknown, String(reason.trimmingPrefix("Error: "))))
            Output.errorLine(message)
        }
    }
}
