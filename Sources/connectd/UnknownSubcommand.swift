import ArgumentParser
import CheckModel

/// A first word that is not a subcommand: the library would count it as an unexpected argument, and say no more.
enum UnknownSubcommand {
    /// What to say about a command line whose first words name no subcommand; nil where they name one, or only options.
    static func complaint(about arguments: [String]) -> String? {
        if arguments.first == ConfigCommand.configuration.commandName {
            return complaint(
                about: arguments.dropFirst().first, among: ConfigCommand.configuration, of: "connectd config")
        }
        if arguments.first == "help" {
            return complaint(about: arguments.dropFirst().first, among: Connectd.configuration, of: "connectd")
        }
        return complaint(about: arguments.first, among: Connectd.configuration, of: "connectd")
    }

    private static func complaint(
        about word: String?, among configuration: CommandConfiguration, of command: String
    ) -> String? {
        // The library adds `help`.
        guard let word, !word.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
        var names: [String] = []
        for subcommand in configuration.subcommands {
            if let name = subcommand.configuration.commandName { names.append(name) }
        }
        guard !names.contains(word) else { return nil }
        return """
            Error: \(command) has no command "\(word.prefix(60))"\(advice(word, names, command))
            Commands: \(names.joined(separator: ", "))
              See '\(command) --help' for more information.
            """
    }

    private static func advice(_ word: String, _ names: [String], _ name: String) -> String {
        if let meant = Spelling.nearest(to: word, among: names) { return "; did you mean '\(name) \(meant)'?" }
        if Spelling.nearest(to: word, among: ["version"]) != nil { return "; did you mean '\(name) --version'?" }
        if name == "connectd", word.contains("://") || (try? Target(parsing: word)) != nil {
            return "; did you mean '\(name) check \(word)'?"
        }
        return ""
    }
}
