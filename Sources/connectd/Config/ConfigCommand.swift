import ArgumentParser
import Configuration

/// `connectd config`: what concerns the configuration file.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Validate a configuration file, or print an example of one.",
        discussion: """
            Examples:
              connectd config example > connectd.yaml
              connectd config check /etc/connectd/connectd.yaml
            """,
        subcommands: [ConfigCheckCommand.self, ConfigExampleCommand.self])

    func run() throws {
        throw ValidationError(
            "say what to do with the configuration: connectd config check FILE, or connectd config example")
    }
}

/// `connectd config check`: everything that is wrong with a configuration file.
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate a configuration file, and the files that it names.",
        discussion: """
            It reads the file alone: variables of the environment (CONNECTD_…) and flags of serve add to it later.

            Exit status: 0 when the service would start with it, 1 when not: each problem has a line on standard \
            error, with its place, key and reason. 2 on wrong usage.

            Examples:
              connectd config check /etc/connectd/connectd.yaml
              connectd config check connectd.yaml && systemctl reload connectd
            """)

    @Argument(help: "The configuration file, YAML.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Flag(help: "The service will be started with --allow-anonymous.")
    var allowAnonymous = false

    func run() throws {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettingsLoader.load(
                file: file, flags: Flags(allowAnonymous: allowAnonymous), judgeCheck: MonitorAssembly.problems)
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
