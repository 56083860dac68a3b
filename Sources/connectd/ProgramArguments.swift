/// The command line, before it is parsed.
enum ProgramArguments {
    /// What the library parses: everything, but for `wait` only what stands in front of `--`.
    static let own = split(Array(CommandLine.arguments.dropFirst())).own
    /// The command that `wait` executes; empty where there is none.
    static let command = split(Array(CommandLine.arguments.dropFirst())).command

    /// Cuts the command off that stands behind `--`. The library would do so too, but not beside a list of targets.
    static func split(_ arguments: [String]) -> (own: [String], command: [String]) {
        guard arguments.first == "wait", let terminator = arguments.firstIndex(of: "--") else { return (arguments, []) }
        return (Array(arguments[..<terminator]), Array(arguments[(terminator + 1)...]))
    }

    /// Whether `-V` or `--version` is among the options of any command.
    static let asksForVersion = own.prefix { $0 != "--" }.contains { $0 == "-V" || $0 == "--version" }

    /// How the process ends on wrong usage.
    static let usage = UsageConvention(of: own)
}
