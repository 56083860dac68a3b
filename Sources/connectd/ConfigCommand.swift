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
