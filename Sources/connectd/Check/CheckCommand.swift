import ArgumentParser
import CLinux
import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// `connectd check`: checks with the same engine as the service, but with the rights of the caller.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check whether targets accept a connection from here.",
        discussion: """
            Each result is one line, printed as soon as it is known. With several targets, hints and a summary follow \
            at the end. On a terminal, standard error shows the progress. Ctrl-C stops and prints the results so far.

            A UDP target without a question is not verified, because UDP has no handshake. Use --preset, or --send and \
            --match, to ask something that the server must answer, or accept the result with --expect associated.

            Exit status: 0 if every target is ok, 1 if one is not, 2 on wrong usage or if the output cannot be written, \
            130 after Ctrl-C. With --nagios, the status of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN \
            (wrong usage, a fault of this machine, or not verified).

            Examples:
              connectd check db.internal:5432
              connectd check tcp://[::1]:443 udp://10.0.0.2:domain unix:/run/app.sock
              connectd check --json --timeout 500ms web.internal:https
              connectd check tls://web.internal:443 --min-days-left 14
              connectd check 10.0.0.7:443 --server-name web.internal --ca internal-ca.pem
              connectd check mail.internal:25 --starttls smtp
              connectd check --expect refused db.internal:22
              connectd check cache.internal:6379 --send 'PING\\r\\n' --match '^\\+PONG'
              connectd check --hold 2s web.internal:443
              connectd check --half-open --count 10 --interval 200ms --timeout 2s db.internal:5432
              connectd check --preset dns udp://10.0.0.2:domain
              connectd check quic://web.internal:443
              connectd check --file targets.txt --per-host 4 --retry-timeouts 1
              connectd check --ports 22,443,u:53 --expand --exclude 10.0.0.1 10.0.0.0/28
              connectd check --file targets.txt --format junit --output report.xml
              connectd check --file targets.txt --ndjson --skip-done results.ndjson >>results.ndjson
              connectd check --nagios --warning 200ms --critical 1s db.internal:5432
              connectd check --from fra1,region=us --config connectd.yaml db.internal:5432 web.internal:443
            """)

    @Argument(
        help: """
            Targets: tcp://host:port, host:port, tls://host:port, udp://host:port, quic://host:port, unix:/path, \
            unix+dgram:/path, unix:@name.
            """)
    var targets: [String] = []

    @OptionGroup var targetFile: TargetFileOption

    @Option(
        name: [.long, .customShort("t")],
        help: "The timeout of each check: 500ms, 5s, 1m (1ms … 60s; default: 5s).",
        transform: Duration.init(parsing:))
    var timeout: Duration?

    @Option(
        help: ArgumentHelp(
            """
            The outcome that makes a target ok, such as refused; several with commas, or !OUTCOME (default: connected; \
            for UDP: answered).
            """, valueName: "outcome"),
        completion: .list(Outcome.all.map(\.word)), transform: OutcomeExpectation.parse)
    var expect: Expectation?

    @OptionGroup var connection: ConnectionArguments

    @OptionGroup var hold: HoldArguments
    @OptionGroup var rounds: CountArguments

    @Flag(help: "Try every address of a name; each must connect.")
    var all = false

    @OptionGroup var trace: TraceArguments

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @OptionGroup(title: "Dialog (steps run in the order of the options)")
    var dialog: DialogArguments

    @OptionGroup(title: "Many targets")
    var list: ListArguments

    @OptionGroup(title: "Many targets")
    var pace: PaceArguments

    @Option(
        help: ArgumentHelp(
            """
            Run each check in one place of the fleet of --config: any, or a list of here, places and labels, such as \
            fra1,region=us:2, which take turns. Only with the formats text, json and ndjson.
            """, valueName: "places"))
    var from: [String] = []

    @Option(
        help: "Apply the policy of this configuration file; without it no policy applies.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @OptionGroup(title: "Output")
    var results: FormatArguments

    @Flag(name: .shortAndLong, help: "Show every attempt with its source address and round-trip time.")
    var verbose = false

    @Option(
        help: ArgumentHelp("Print the progress on standard error at this interval, such as 10s.", valueName: "time"),
        transform: Duration.init(parsingWait:))
    var statsEvery: Duration?

    @OptionGroup var nagios: NagiosOptions
    @OptionGroup var color: ColorOption

    func validate() throws {
        _ = try results.chosen(isNagios: nagios.nagios)
        if let statsEvery, statsEvery.milliseconds < 100 {
            throw ValidationError("--stats-every must be from 100ms to 24h")
        }
    }

    func run() throws {
        let format = try results.chosen(isNagios: nagios.nagios)
        try results.validate(inputs: inputs)
        if !from.isEmpty { return try runInPlaces(format) }
        let context = try CallerContext.read(config: config, tls: tls)
        let plan = try plan(context)
        if plan.count > 0 { try nagios.validate(hasTLS: plan.traits.hasTLS, format: format) }
        let output = results.open(format)
        if list.appendsToPartOfLine { output.write("\n") }
        let isColored = results.output == nil || results.output == "-"
        let run = CheckRun(
            plan: plan, context: context,
            options: pace.options(descriptorsOfCheck: plan.traits.usesManySockets ? 8 : 2),
            format: format, limits: nagios.limits, output: output, outputName: results.output,
            palette: isColored ? color.palette(for: STDOUT_FILENO) : .plain, isVerbose: verbose,
            statsEvery: statsEvery)
        throw ExitCode(try run.status())
    }

    private func plan(_ context: CheckContext) throws -> CheckPlan {
        let template = try RequestTemplate(
            timeout: timeout, connection: connection, rounds: RoundsArguments(hold: hold, count: rounds),
            triesAllAddresses: all, tls: tls, dialog: dialog,
            expectation: expect, trace: trace.options, context: context)
        let plan = try list.plan(targets, file: targetFile.name, template)
        if plan.count > 0 { try tls.validate(hasTLS: plan.traits.hasTLS) }
        return plan
    }

    /// Runs each check in one place of the fleet.
    private func runInPlaces(_ format: ReportFormat) throws {
        let places = try VantageArguments.places(of: from)
        let conflicts = [
            (pace.perHost > 0, "--per-host"), (pace.rate != nil, "--rate"),
            (pace.retryTimeouts > 0, "--retry-timeouts"), (statsEvery != nil, "--stats-every"), (verbose, "--verbose"),
            (![.text, .json, .ndjson].contains(format), "--format \(format.rawValue)"),
        ]
        if let conflict = conflicts.first(where: \.0) {
            throw ValidationError("--from cannot be combined with \(conflict.1): leave one of them out")
        }
        let caller = try CallerContext.readWithFleet(config: config, tls: tls)
        try VantageArguments.validate(isRemote: places.isRemote, fleet: caller.fleet, tls: tls)
        let session = PlacedCheckSession(
            plan: try plan(caller.context), context: caller.context, fleet: places.isRemote ? caller.fleet : nil,
            places: places, concurrency: min(pace.concurrency ?? 256, DescriptorBudget.checks(eachHolding: 8)))
        let output = results.open(format)
        let isColored = results.output == nil || results.output == "-"
        let run = PlacedCheckRun(
            session: session, format: format, output: output,
            palette: isColored ? color.palette(for: STDOUT_FILENO) : .plain)
        throw ExitCode(try run.status())
    }

    /// The files that the command reads, with the option of each.
    private var inputs: [(option: String, file: String)] {
        let files = [("--file", targetFile.name), ("--config", config), ("--ca", tls.ca)]
        return files.compactMap { option, file in file.map { (option, $0) } } + list.inputs
    }
}

/// Parses `--expect` and `expect=`: `refused`, `refused,timeout`, `!connected`.
enum OutcomeExpectation {
    static func parse(_ text: String) throws -> Expectation {
        guard let expectation = ExpectationDecoder.expectation(parsing: text) else {
            throw ValidationError(
                """
                "\(TerminalText.clean(text))" is not an outcome\(suggestion(for: text)): write one of \
                \(ExpectationDecoder.knownWords); several with commas, or one with "!" before it
                """)
        }
        return expectation
    }

    /// ` (did you mean refused?)` for the first unknown word that is similar to an outcome; otherwise empty.
    static func suggestion(for text: String) -> String {
        let known = Outcome.all.map(\.word)
        for word in text.drop(while: { $0 == "!" }).split(separator: ",") where !known.contains(String(word)) {
            if let meant = Spelling.nearest(to: word.lowercased(), among: known) { return " (did you mean \(meant)?)" }
        }
        return ""
    }

    static func detail(_ error: any Error) -> String {
        (error as? ValidationError)?.message ?? "\(error)"
    }
}
