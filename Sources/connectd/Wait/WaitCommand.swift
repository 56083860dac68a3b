import ArgumentParser
import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// `connectd wait`: waits until all targets are ready, then executes a command.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until targets accept a connection from here, then run a command.",
        usage: """
            connectd wait [<options>] <targets> ... [-- <command> ...]
            """,
        discussion: """
            Each target is checked until it is ok once. Later failures do not matter. Standard error shows which targets \
            are not ready and why: a line for each change, and every ten seconds.

            The command replaces connectd: it runs in the same process, with its own signals and exit status. Without a \
            command connectd exits with 0.

            Exit status: that of the command; 1 if the wait timed out, or if the policy of --config denies a target; 2 \
            on wrong usage; 126 if the command cannot be executed, 127 if it is not found. SIGINT and SIGTERM end the \
            wait at once (130 and 143 in a shell), after a report of the targets that are not ready.

            A UDP target without a question is never ready, because UDP has no handshake. Use --preset, or --send and \
            --match, to ask something that the server must answer, or use --until associated.

            Examples:
              connectd wait db.internal:5432
              connectd wait --timeout 2m db.internal:5432 -- ./server --port 8080
              connectd wait --until down old.internal:5432 -- ./switch-over
              connectd wait --timeout 0 --quiet unix:/run/app.sock && ./worker
            """)

    @Argument(
        help: """
            Targets: tcp://host:port, host:port, tls://host:port, udp://host:port, quic://host:port, unix:/path, \
            unix:@name.
            """)
    var targets: [String] = []

    @OptionGroup var targetFile: TargetFileOption

    @Option(
        name: [.long, .customShort("t")],
        help: "The timeout for all targets: 500ms, 60s, 5m, 1h; 0 means no timeout (default: 60s).",
        transform: Duration.init(parsingWait:))
    var timeout = Duration(milliseconds: 60_000)

    @Option(
        help: "The pause between two checks of a target (default: 1s).", transform: Duration.init(parsingWait:))
    var interval = Duration(milliseconds: 1000)

    @Option(
        help: ArgumentHelp(
            """
            What to wait for: up, down (the target or the network rejects the connection), or an outcome such as \
            refused; several with commas, or !OUTCOME (default: up).
            """, valueName: "state"),
        completion: .list(["up", "down"] + Outcome.all.map(\.word)), transform: WaitCondition.init(parsing:))
    var until = WaitCondition.up

    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var hold: HoldArguments

    @Option(
        help: "Apply the policy of this configuration file; without it no policy applies.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(name: .shortAndLong, help: "Print nothing while waiting or after a timeout.")
    var quiet = false

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @OptionGroup(title: "Dialog (steps run in the order of the options)")
    var dialog: DialogArguments

    @OptionGroup var color: ColorOption

    func validate() throws {
        if interval.milliseconds == 0 { throw ValidationError("--interval must be at least 1ms, got 0") }
    }

    func run() throws {
        let context = try CallerContext.read(config: config, tls: tls)
        let template = try RequestTemplate(
            connection: connection, rounds: RoundsArguments(hold: hold), tls: tls, dialog: dialog, context: context)
        var list = TargetList()
        let problems = try list.append(targets, file: targetFile.name)
        let plan = try CheckPlan(list, template, problems)
        try tls.validate(hasTLS: plan.traits.hasTLS)
        let checks = (0..<plan.count).map { index in
            let check = plan.check(at: index)
            var request = check.request
            until.apply(to: &request)
            return PreparedCheck(request: request, dialog: check.dialog)
        }
        let requests = checks.map(\.request)
        var signals = WaitSignals()
        var status = StatusLine(environment: Environment.all)
        let showsProgress = status.isUsable && !quiet
        let session = WaitSession(
            checks: checks, condition: until, context: context, timeout: timeout, interval: interval,
            tickMilliseconds: showsProgress ? Self.terminalTick : nil)
        var report = WaitReport(requests: requests, condition: until, palette: color.palette(for: STDERR_FILENO))
        let started = Clock.now()
        let endReason = try session.run { event in
            switch event {
            case .checked(let index, let result):
                guard let line = report.line(for: result, at: index), !quiet else { return }
                status.clear()
                Output.errorLine(line)
            case .tick:
                let elapsed = Clock.now().since(started)
                let left = timeout.milliseconds == 0 ? nil : Int64(timeout.milliseconds) * 1_000_000 - elapsed
                status.show(report.progress(elapsedNanoseconds: elapsed, leftNanoseconds: left))
            }
        }
        status.clear()
        switch endReason {
        case .complete: break
        case .timedOut: throw fail(report.failure("timed out after \(timeout)"))
        case .denied: throw fail(report.failure("denied by the policy"))
        case .interrupted(let number):
            let time = TimeText.seconds(Clock.now().since(started))
            _ = fail(report.failure("interrupted after \(time)"))
            Interrupts.end(by: number)
            throw ExitCode(128 + number)
        }
        guard !ProgramArguments.command.isEmpty else { return }
        signals.restore()
        throw ExitCode(CommandExecution.replaceProcess(by: ProgramArguments.command))
    }

    /// The interval of the progress line on a terminal, in milliseconds.
    private static let terminalTick = 500

    private func fail(_ text: String) -> ExitCode {
        if !quiet { Output.errorLine(text) }
        return ExitCode(1)
    }
}

/// The condition that `wait` waits for.
enum WaitCondition {
    /// The target is ok, as for `check`.
    case up
    /// The target or the network rejects the connection. Faults of prober, resolver and request do not count.
    case down
    case outcome(Expectation)

    init(parsing text: String) throws {
        switch text {
        case "up": self = .up
        case "down": self = .down
        default:
            guard let expectation = ExpectationDecoder.expectation(parsing: text) else {
                throw ValidationError(
                    """
                    --until "\(TerminalText.clean(text))" is not a state\(OutcomeExpectation.suggestion(for: text)): write up, down, or an outcome: \
                    \(ExpectationDecoder.knownWords)
                    """)
            }
            self = .outcome(expectation)
        }
    }

    /// Sets the expectation of a request, unless its line of `--file` has its own.
    func apply(to request: inout CheckRequest) {
        if case .outcome(let expectation) = self, request.expectation == .transportSuccess {
            request.expectation = expectation
        }
    }

    func isMet(by result: CheckResult, of request: CheckRequest) -> Bool {
        switch self {
        case .up, .outcome: return CheckVerdict(result, of: request) == .ok
        case .down:
            if request.expectation != .transportSuccess { return CheckVerdict(result, of: request) == .ok }
            guard !result.outcome.isSuccess, let error = result.error else { return false }
            switch error.fault {
            case .target, .network: return true
            case .prober, .resolver, .request: return false
            }
        }
    }

    /// The state in messages: `ready`, `down`, `refused`.
    var word: String {
        switch self {
        case .up: "ready"
        case .down: "down"
        case .outcome(.oneOf(let outcomes)): outcomes.map(\.word).joined(separator: " or ")
        case .outcome(.not(let outcome)): "anything but \(outcome.word)"
        case .outcome(.transportSuccess): "ready"
        }
    }

    /// The flag that accepts an unverified datagram socket.
    var acceptance: String { "--until associated" }
}
