import ArgumentParser
import Configuration

/// `connectd config`: what concerns the configuration file.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Look at a configuration file without starting the service.",
        discussion: """
            Examples:
              connectd config check /etc/connectd/connectd.yaml
            """,
        subcommands: [ConfigCheckCommand.self])

    func run() throws {
        throw ValidationError("say what to do with the configuration: connectd config check FILE")
    }
}
