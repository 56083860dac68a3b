import ArgumentParser
import NetworkTypes

/// What to write instead of an option of another program: nc, nmap, curl, ping and the plugins of Nagios have their own.
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
        "-f": "use --file", "--input": "use --file", "-o": "redirect the output with >", "-d": "use --verbose",
        "--debug": "use --verbose", "--until-down": "use --until down", "--strict": "omit it: wait always does so",
    ]

    /// The message about an unknown option, with what to write instead where that is known.
    static func completed(_ message: String) -> String {
        let marker = "Error: Unknown option '"
        guard message.hasPrefix(marker) else { return message }
        let option = message.dropFirst(marker.count).prefix { $0 != "'" }
        guard let advice = byOption[String(option.prefix { $0 != "=" })] else { return message }
        let rest = message.drop { !$0.isNewline }
        return "\(marker)\(option)': \(advice)\(rest)"
    }
}

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

/// How a command tells of wrong usage, and of what went wrong before it could do its work.
enum UsageConvention {
    /// Exit status 2, the reason on standard error.
    case usual
    /// Monitoring plugins: status 3, and a line on standard output, since nobody reads the other.
    case nagios
    /// A container's HEALTHCHECK knows 0 and 1 only; 2 is reserved.
    case health

    init(of arguments: [String]) {
        switch arguments.first {
        case "check": self = arguments.contains("--nagios") ? .nagios : .usual
        case "healthcheck": self = .health
        default: self = .usual
        }
    }

    /// The exit status of wrong usage.
    var usageStatus: Int32 {
        switch self {
        case .usual: 2
        case .nagios: NagiosState.unknown.rawValue
        case .health: 1
        }
    }

    /// The exit status where no check could be made at all.
    var failureStatus: Int32 {
        switch self {
        case .usual, .health: 1
        case .nagios: NagiosState.unknown.rawValue
        }
    }
}
