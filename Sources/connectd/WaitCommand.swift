import ArgumentParser
import CLinux
import CheckModel

/// `connectd wait`: until all targets connect, then a command.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until targets accept a connection from here, then execute a command.",
        usage: """
            connectd wait [<options>] <targets> ... [-- <command> ...]
            """,
        discussion: """
            Each target is checked until it is ok once; what becomes of it afterwards does not matter. What is not \
            there yet, and why, stands on standard error: a line where that changes, and every ten seconds.

            The command takes the place of connectd: the same process, with its own signals and its own exit status. \
            Without one connectd ends with 0.

            Exit status: that of the command; 1 when the time is over, or the policy of --config denies a target; 2 \
            on wrong usage; 126 when the command cannot be executed, 127 when it is not found. SIGINT and SIGTERM end \
            the wait at once (130 and 143 in a shell).

            Examples:
              connectd wait db.internal:5432
              connectd wait --timeout 2m db.internal:5432 -- ./server --port 8080
              connectd wait --timeout 0 --quiet unix:/run/app.sock && ./worker
            """)

    @Argument(help: "Targets: tcp://host:port, host:port, tls://host:port, udp://host:port, unix:/path, unix:@name.")
    var targets: [String] = []

    @Option(
        help: "Read further targets from a file, one a line; # begins a comment; - is standard input.",
        completion: .file())
    var file: String?

    @Option(
        help: "How long to wait for all of them: 500ms, 60s, 5m, 1h; 0 is for ever (default: 60s).",
        transform: Duration.init(parsingWait:))
    var timeout = Duration(milliseconds: 60_000)

    @Option(
        help: "The pause between two checks of a target (default: 1s).", transform: Duration.init(parsingWait:))
    var interval = Duration(milliseconds: 1000)

    @Option(help: "Addresses of a name to try: any, ipv4 or ipv6.")
    var family: ResolveOptions.Family = .any

    @Option(
        help: "A configuration file whose policy binds the checks; without it they act with your own rights.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(name: .shortAndLong, help: "Say nothing while waiting, nor at the end of the time.")
    var quiet = false

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @OptionGroup var color: ColorOption

    func validate() throws {
        if interval.milliseconds == 0 { throw ValidationError("--interval 0 would leave no pause between checks") }
    }

    func run() throws {
        let requests = try requests()
        try tls.validate(for: requests)
        let surroundings = try CallerSurroundings.read(config: config, tls: tls)
        var signals = WaitSignals()
        let session = WaitSession(
            requests: requests, surroundings: surroundings, timeout: timeout, interval: interval)
        var report = WaitReport(requests: requests, palette: color.palette(for: STDERR_FILENO))
        let ending = try session.run { index, result in
            if let line = report.line(for: result, at: index), !quiet { Output.errorLine(line) }
        }
        switch ending {
        case .complete: break
        case .timedOut, .denied:
            if !quiet { Output.errorLine(report.failure(ending, after: timeout)) }
            throw ExitCode(1)
        }
        guard !ProgramArguments.command.isEmpty else { return }
        signals.restore()
        throw ExitCode(CommandExecution.replaceProcess(by: ProgramArguments.command))
    }

    private func requests() throws -> [CheckRequest] {
        try TargetFile.entries(named: targets, file: file).map { entry in
            var request = CheckRequest(target: try entry.target())
            request.resolve.family = family
            request.tls = tls.options(for: request.target)
            return request
        }
    }
}
