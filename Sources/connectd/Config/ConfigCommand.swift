import ArgumentParser
import Configuration

/// `connectd config`: commands for the configuration file.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Validate a configuration file, or print an example.",
        discussion: """
            Examples:
              connectd config example > connectd.yaml
              connectd config check /etc/connectd/connectd.yaml
            """,
        subcommands: [ConfigCheckCommand.self, ConfigExampleCommand.self])

    func run() throws {
        throw ValidationError(
            "missing subcommand: use connectd config check FILE, or connectd config example")
    }
}

/// `connectd config check`: reports all problems of a configuration file.
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate a configuration file and the files that it names.",
        discussion: """
            It reads only the file. Environment variables (CONNECTD_…) and flags of serve are not considered.

            Exit status: 0 if the service would start with this file; 1 if not, with one line for each problem on \
            standard error (position, key and reason); 2 on wrong usage.

            Examples:
              connectd config check /etc/connectd/connectd.yaml
              connectd config check connectd.yaml && systemctl reload connectd
            """)

    @Argument(help: "The configuration file, YAML.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Flag(help: "Validate for a service that is started with --allow-anonymous.")
    var allowAnonymous = false

    func run() throws {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettingsLoader.load(
                file: file, flags: Flags(allowAnonymous: allowAnonymous), judgeCheck: MonitorAssembly.problems,
                judgePlaces: MonitorAssembly.problems)
            for warning in warnings + MonitorPolicyWarnings.warnings(about: settings) {
                Output.errorLine("\(file): warning: \(warning)")
            }
            if let refusal = settings.refusalToStart {
                Output.errorLine("\(file): \(refusal)")
            } else {
                return Output.line("ok    \(file)  \(SettingsSummary.text(settings))")
            }
        } catch {
            Output.errorLine("\(error)")
            let count = error.problems.count
            Output.errorLine("\(file): \(count) \(count == 1 ? "problem" : "problems")")
        }
        throw ExitCode(1)
    }
}
