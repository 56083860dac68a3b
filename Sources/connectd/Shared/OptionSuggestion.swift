import ArgumentParser
import NetworkTypes

/// Suggestions for options of other programs: nc, nmap, curl, ping and Nagios plugins.
enum OptionSuggestion {
    private static let byOption: [String: String] = [
        "-p": "write the port in the target, as in host:443", "--port": "write the port in the target, as in host:443",
        "-H": "write the host in the target, as in host:443", "--host": "write the host in the target, as in host:443",
        "--hostname": "write the host in the target, as in host:443",
        "-u": "write the target as udp://host:port", "--udp": "write the target as udp://host:port",
        "-U": "write the target as unix:/path", "-z": "omit it: a check sends nothing by itself",
        "-w": "use --timeout 5s (-t), or --warning with --nagios", "--deadline": "use --timeout",
        "--connect-timeout": "use --timeout", "--max-time": "use --timeout", "-m": "use --timeout",
        "-c": "use --critical with --nagios", "-W": "use --timeout",
        "-s": "use --send to send text, --source for the source address",
        "-e": "use --match for the expected answer",
        "-E": "omit it: --send always interprets escapes such as \\r\\n", "-q": "use --send for the last text",
        "-S": "use --tls, or a target tls://host:port", "--ssl": "use --tls, or a target tls://host:port",
        "-D": "use --warning-days and --critical-days", "--expect-string": "use --match",
        "-b": "use --source", "--bind": "use --source", "--source-address": "use --source", "-I": "use --interface",
        "--iface": "use --interface", "--cacert": "use --ca", "--cafile": "use --ca", "--sni": "use --server-name",
        "--servername": "use --server-name", "--no-check-certificate": "use --no-verify", "--ipv4": "use -4",
        "--ipv6": "use -6", "--threads": "use --concurrency", "--jobs": "use --concurrency", "-j": "use --concurrency",
        "-P": "use --concurrency", "--retries": "use --retry-timeouts", "--retry": "use --retry-timeouts",
        "-f": "use --file", "--input": "use --file", "-iL": "use --file", "-o": "use --output",
        "-oX": "use --format junit",
        "--excludefile": "use --exclude @FILE", "--exclude-file": "use --exclude @FILE", "--csv": "use --format csv",
        "--junit": "use --format junit", "--resume": "use --skip-done", "-d": "use --verbose",
        "--debug": "use --verbose", "--until-down": "use --until down", "--strict": "omit it: wait always does so",
    ]

    /// The message about an unknown option, with a suggestion if there is one.
    static func completed(_ message: String) -> String {
        let marker = "Error: Unknown option '"
        guard message.hasPrefix(marker) else { return message }
        let option = message.dropFirst(marker.count).prefix { $0 != "'" }
        let rest = message.drop { !$0.isNewline }
        if let advice = byOption[String(option.prefix { $0 != "=" })] {
            return "\(marker)\(option)': \(advice)\(rest)"
        }
        // The library compares only with the options of the command itself.
        let suggested = message.prefix { !$0.isNewline }.split(separator: "'").last { $0.hasPrefix("--") }
        let known = ["--version", "--help"] + [suggested].compactMap { $0.map(String.init) }.filter { $0 != option }
        guard option.hasPrefix("--"), let meant = Spelling.nearest(to: String(option), among: known) else {
            return message
        }
        return "\(marker)\(option)'. Did you mean '\(meant)'?\(rest)"
    }
}

/// Messages about an unknown subcommand, which the library would report only as an unexpected argument.
enum UnknownSubcommand {
    /// The message if the first words are not a subcommand; nil if they are, or are options.
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

/// How a command reports wrong usage and failures before its first check.
enum UsageConvention {
    /// Exit status 2, and the reason on standard error.
    case usual
    /// Monitoring plugins: exit status 3, and a line on standard output, because the monitoring system reads only that.
    case nagios
    /// A container's HEALTHCHECK: exit status 1, because 2 is reserved.
    case health

    init(of arguments: [String]) {
        switch arguments.first {
        case "check": self = Self.asksForNagios(arguments) ? .nagios : .usual
        case "healthcheck": self = .health
        default: self = .usual
        }
    }

    private static func asksForNagios(_ arguments: [String]) -> Bool {
        let followers = zip(arguments, arguments.dropFirst())
        return arguments.contains { $0 == "--nagios" || $0 == "--format=nagios" }
            || followers.contains { $0 == "--format" && $1 == "nagios" }
    }

    /// The exit status of wrong usage.
    var usageStatus: Int32 {
        switch self {
        case .usual: 2
        case .nagios: NagiosState.unknown.rawValue
        case .health: 1
        }
    }

    /// The exit status if an output cannot be written. A monitoring system must notice it, so it is not UNKNOWN.
    var outputStatus: Int32 {
        switch self {
        case .usual, .nagios: 2
        case .health: 1
        }
    }

    /// The exit status if no check could run.
    var failureStatus: Int32 {
        switch self {
        case .usual, .health: 1
        case .nagios: NagiosState.unknown.rawValue
        }
    }
}
