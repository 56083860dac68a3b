import ArgumentParser
import CLinux
import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import ErrorCatalogue
import Fleet
import NetworkTypes
import Reachability
import SocketIO

/// `connectd verify`: checks a reachability policy, rule by rule.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a reachability policy, rule by rule.",
        discussion: """
            The file is YAML. A rule says which destinations and ports must be open, allowed, closed or blocked from \
            here:

              version: 1
              defaults: {timeout_ms: 2000, retry_timeouts: 1}
              sets: {db: [db1.internal, 10.2.0.0/30]}
              rules:
                - {name: app reaches postgres, to: [db], ports: [5432, "8000-8009"], expect: allowed}
                - {name: no ssh to databases, to: [db], ports: [22], expect: blocked, control: "tcp://10.2.0.1:5432"}

            With from, a rule is checked in places of a fleet: from: [fra1, {labels: {tier: app}}]. The fleet is that of \
            --config.

            Verdicts: pass; violation; error if the check could not be tried, for example because the name server \
            failed or this machine has no route; inconclusive if a blocked result proves nothing, for example because the \
            control is not open.

            A timeout is repeated once, slowly for each host, because hosts limit their ICMP errors; retry_timeouts in the \
            file or --retry-timeouts change that.

            Exit status: 0 if every case passes, 1 if there is a violation, 2 on wrong usage, an invalid file or an \
            output that cannot be written, 3 if there are errors or inconclusive cases but no violation, 130 after \
            Ctrl-C.

            Examples:
              connectd verify policy.yaml
              connectd verify policy.yaml --format junit --output report.xml
              connectd verify policy.yaml --format matrix
              connectd verify places.yaml --config connectd.yaml --format matrix
              connectd verify draft.yaml --learn --output policy.yaml
              connectd verify policy.yaml --format ndjson --output before.ndjson
              connectd verify policy.yaml --diff before.ndjson
            """)

    @Argument(help: "The policy, YAML; - is standard input.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(
        help: ArgumentHelp(
            "The format: text, json, ndjson, csv, junit, tap, github, markdown or matrix.", valueName: "format"),
        completion: .list(VerifyCommand.formats.map(\.rawValue)), transform: VerifyCommand.format)
    var format: ReportFormat = .text

    @Option(help: "Write the report to this file instead of standard output.", completion: .file())
    var output: String?

    @Flag(help: "Ignore the expectations of the file, and print the file with those that hold now.")
    var learn = false

    @Option(
        help: ArgumentHelp(
            "Show only what changed since this output of --format ndjson: text, json, ndjson or markdown.",
            valueName: "old.ndjson"), completion: .file())
    var diff: String?

    @OptionGroup(title: "Pace (overrides defaults of the file)")
    var pace: PaceArguments

    @Option(
        help: "Apply the policy of this configuration file; without it no policy applies.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(name: .shortAndLong, help: "Show the cases that pass, too.")
    var verbose = false

    @Option(
        help: ArgumentHelp("Print the progress on standard error at this interval, such as 10s.", valueName: "time"),
        transform: Duration.init(parsingWait:))
    var statsEvery: Duration?

    @OptionGroup var color: ColorOption

    static let formats = ReportFormat.allCases.filter { $0 != .nagios }

    static func format(_ text: String) throws -> ReportFormat {
        guard let format = ReportFormat(rawValue: text), formats.contains(format) else {
            let names = formats.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\"\(TerminalText.clean(text))\" is not a format: use one of \(names)")
        }
        return format
    }

    func validate() throws {
        if learn, diff != nil { throw ValidationError("use either --learn or --diff, not both") }
        if learn, format != .text { throw ValidationError("--learn prints YAML: remove --format") }
        if diff != nil, ![.text, .json, .ndjson, .markdown].contains(format) {
            throw ValidationError("--diff prints text, json, ndjson or markdown, got --format \(format.rawValue)")
        }
        if let statsEvery, statsEvery.milliseconds < 100 {
            throw ValidationError("--stats-every must be from 100ms to 24h")
        }
        if let output, output.isEmpty { throw ValidationError("--output needs the name of a file") }
    }

    func run() throws {
        let before = try diff.map(earlierRun)
        let context = try CallerContext.read(config: config)
        let policy = try reportingProblems { () throws(ConfigurationProblems) in
            let root = try YAMLDocument.read(file: file)
            return try PolicyReader.read(
                root, file: YAMLDocument.name(of: file), checkMembers: CheckDecoder.memberNames,
                needsExpectations: !learn)
        }
        if learn, policy.rules.contains(where: { $0.from != nil }) {
            throw ValidationError("--learn finds what holds from here: remove from in the file")
        }
        let status = try withPlaces(of: policy) { places, fleet in
            let plan = try reportingProblems { () throws(ConfigurationProblems) in
                try VerifyPlan(policy, in: context, places: places, fleet: fleet)
            }
            return try run(plan, in: context, since: before)
        }
        throw ExitCode(status)
    }

    /// Calls the body with the places of each rule, and what asks them: nil if no rule has `from`.
    private func withPlaces(
        of policy: ReachabilityPolicy, _ body: ([[PlaceName?]], (any FleetAsking)?) throws -> Int32
    ) throws -> Int32 {
        guard policy.rules.contains(where: { $0.from != nil }) else {
            return try body(policy.rules.map { _ in [nil] }, nil)
        }
        let settings = try config.flatMap(fleetSettings)
        let pool = try WorkerPool(count: 1, admission: Admission(limit: 1, queueLimit: 0))
        let threads = try pool.start()
        let result: Result<Int32, any Error>
        do {
            let places = try VerifyPlaces(policy, settings: settings, worker: pool.workers[0])
            result = Result { try body(places.places, places.fleet) }
            places.fleet?.close()
        } catch let problems as ConfigurationProblems {
            result = .failure(report(problems))
        } catch let failure as FleetFailure {
            Output.errorLine("connectd: \(TerminalText.clean("\(failure)"))")
            result = .failure(ExitCode(3))
        } catch {
            result = .failure(error)
        }
        threads.stopAndJoin()
        return try result.get()
    }

    private func fleetSettings(of config: String) throws -> FleetSettings? {
        do throws(ConfigurationProblems) {
            return try SettingsSource(file: config, flags: Flags(answersFleet: false)).load().0.fleet
        } catch {
            throw ValidationError("the configuration is invalid:\n\(error)")
        }
    }

    private func reportingProblems<Value>(
        _ work: () throws(ConfigurationProblems) -> Value
    ) throws -> Value {
        do throws(ConfigurationProblems) {
            return try work()
        } catch {
            throw report(error)
        }
    }

    /// - Returns: the exit status for an invalid file.
    private func report(_ problems: ConfigurationProblems) -> ExitCode {
        Output.errorLine("\(problems)")
        let count = problems.problems.count
        Output.errorLine(
            "\(TerminalText.clean(YAMLDocument.name(of: file))): \(count) \(count == 1 ? "problem" : "problems")")
        return ExitCode(2)
    }

    private func run(_ plan: VerifyPlan, in context: CheckContext, since before: [CaseRecord]?) throws -> Int32 {
        try validateOutput()
        let kind: VerifyRun.Kind = learn ? .learning : before.map(VerifyRun.Kind.comparison) ?? .report
        let run = VerifyRun(
            plan: plan, context: context, options: options(for: plan), kind: kind, format: format, outputFile: output,
            palette: output == nil ? color.palette(for: STDOUT_FILENO) : .plain, isVerbose: verbose,
            statsEvery: statsEvery, repeatsTimeouts: pace.retryTimeouts == 0 && plan.policy.pace.timeoutRetries == nil)
        return try run.status()
    }

    /// Flags override the file.
    private func options(for plan: VerifyPlan) -> BatchOptions {
        let written = plan.policy.pace
        var options = pace.options(descriptorsOfCheck: plan.usesManyAddresses ? 8 : 2)
        if pace.concurrency == nil, let concurrency = written.concurrency {
            options.concurrency = min(
                concurrency, DescriptorBudget.checks(eachHolding: plan.usesManyAddresses ? 8 : 2))
        }
        if pace.perHost == 0 { options.perHost = written.perHost ?? 0 }
        if pace.rate == nil { options.ratePerSecond = Double(written.ratePerSecond ?? 0) }
        if pace.retryTimeouts == 0 { options.timeoutRetries = written.timeoutRetries ?? 0 }
        return options
    }

    private func earlierRun(_ name: String) throws -> [CaseRecord] {
        var records: [CaseRecord] = []
        try LineReader.forEachLine(of: name) { line, number in
            guard line.contains(where: { $0 != UInt8(ascii: " ") }) else { return }
            do throws(PolicyError) {
                records.append(try CaseRecord(line: Array(line)))
            } catch {
                throw ValidationError("--diff \(TerminalText.clean(name)):\(number): \(error.detail)")
            }
        }
        return records
    }

    /// The report must not overwrite the files that it comes from.
    private func validateOutput() throws {
        guard let output, output != "-", let identity = UnixPathName.identity(Array(output.utf8)) else { return }
        for (name, input) in [("the policy", file), ("--diff", diff ?? ""), ("--config", config ?? "")]
        where UnixPathName.identity(Array(input.utf8)) == identity {
            throw ValidationError("--output \(TerminalText.clean(output)) is \(name) itself: write to another file")
        }
    }
}
