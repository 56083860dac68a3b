import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import NetworkTypes
import SocketIO

/// One run of `connectd check`: starts the checks, writes the results in one format, and shows the progress.
struct CheckRun {
    let plan: CheckPlan
    let context: CheckContext
    let options: BatchOptions
    let format: ReportFormat
    let limits: NagiosLimits
    let output: ReportOutput
    /// The name of `--output`; nil for standard output.
    let outputName: String?
    let palette: Palette
    let isVerbose: Bool
    let statsEvery: Duration?

    /// The interval of the progress line on a terminal, in milliseconds.
    private static let terminalTick = 200

    /// Runs the checks.
    /// - Returns: the exit status.
    func status() throws -> Int32 {
        var status = StatusLine(environment: Environment.all)
        var progress = Progress(
            started: Clock.now(), concurrency: options.concurrency, rate: options.ratePerSecond,
            timeoutMilliseconds: plan.traits.longestTimeoutMilliseconds,
            retryPauseMilliseconds: options.retryPauseMilliseconds)
        var results = CheckResults(
            plan: plan, format: format, limits: limits, output: output, palette: palette, isVerbose: isVerbose,
            repeatsTimeouts: options.timeoutRetries > 0)
        var earlier: [Int: CheckResult] = [:]
        var nextStats = statsEvery.map { Clock.now().advanced(byMilliseconds: $0.milliseconds) }
        let session = CheckSession(
            plan: plan, context: context, options: options, tickMilliseconds: tickMilliseconds(status))
        let endReason = try session.run { event in
            switch event {
            case .finished(let index, let result, let check):
                progress.finishOne()
                earlier[index] = nil
                if sharesTerminal { status.clear() }
                results.add(result, of: check.request, at: index)
            case .willRepeat(let index, let result):
                earlier[index] = result
                progress.deferOne()
            case .repeating(let round, let count):
                progress.beginRepetition(round: round, count: count)
            case .idle:
                output.flush()
            case .tick:
                output.flush()
                let now = Clock.now()
                let text = progress.text(results.tally, at: now)
                if showsProgress { status.show(text) }
                if let due = nextStats, let statsEvery, now >= due {
                    status.clear()
                    Output.errorLine(text)
                    nextStats = due.advanced(byMilliseconds: statsEvery.milliseconds)
                }
            }
        }
        status.clear()
        var signal: Int32?
        if case .interrupted(let number) = endReason {
            signal = number
            for (index, result) in earlier.sorted(by: { $0.key < $1.key }) {
                results.add(result, of: plan.request(at: index), at: index)
            }
        }
        return finish(&results, signal: signal)
    }

    /// False for Nagios, which shows standard error as well as standard output.
    private var showsProgress: Bool { format != .nagios }

    /// Whether results may appear on the terminal of the progress line.
    private var sharesTerminal: Bool { format.isStreamed && outputName == nil }

    private func tickMilliseconds(_ status: StatusLine) -> Int? {
        if status.isUsable, showsProgress { return Self.terminalTick }
        return statsEvery.map(\.milliseconds)
    }

    private func finish(_ results: inout CheckResults, signal: Int32?) -> Int32 {
        results.end(isInterrupted: signal != nil)
        output.finish()
        if format == .nagios { return results.nagiosStatus(isInterrupted: signal != nil) }
        // The text format says it itself on standard output.
        let isSaid = format == .text && outputName == nil
        let summary = results.summary(isInterrupted: signal != nil)
        if let outputName, outputName != "-" {
            Output.errorLine("connectd: \(summary); results are in \(TerminalText.clean(outputName))")
        } else if signal != nil, !isSaid {
            Output.errorLine("connectd: \(summary)")
        }
        if let skippedText { Output.errorLine("connectd: --skip-done: \(skippedText)") }
        if let signal { return 128 + signal }
        return results.tally.ok == plan.count && plan.skipped.failures == 0 ? 0 : 1
    }

    /// What `--skip-done` did; nil for nothing.
    private var skippedText: String? {
        let skipped = plan.skipped
        guard skipped.count > 0 || skipped.ignoredLines > 0 else { return nil }
        let targets = skipped.count == 1 ? "1 target" : "\(skipped.count) targets"
        let failures = skipped.failures == 0 ? "" : ", \(skipped.failures) of them not ok"
        let lines =
            skipped.ignoredLines == 1
            ? "1 line that is not a result" : "\(skipped.ignoredLines) lines that are not results"
        let ignored = skipped.ignoredLines == 0 ? "" : "; ignored \(lines)"
        return "skipped \(targets) with a result\(failures)\(ignored)"
    }
}

/// Passes the results of a run to the report.
struct CheckResults {
    private let plan: CheckPlan
    private let format: ReportFormat
    private let output: ReportOutput
    private let encoder = ResultEncoder(prober: HostName.current)
    private let started = Clock.now()
    private var writer: any ReportWriter
    private var text: CheckOutput
    private var nagios: NagiosReport
    /// Whether each check has a result.
    private var isFinished: [Bool]

    init(
        plan: CheckPlan, format: ReportFormat, limits: NagiosLimits, output: ReportOutput, palette: Palette,
        isVerbose: Bool, repeatsTimeouts: Bool
    ) {
        self.plan = plan
        self.format = format
        self.output = output
        text = CheckOutput(
            total: plan.count, widestTarget: plan.traits.widestTarget, palette: palette, isVerbose: isVerbose,
            repeatsTimeouts: repeatsTimeouts, isList: plan.hasFile)
        nagios = NagiosReport(total: plan.count, limits: limits)
        isFinished = [Bool](repeating: false, count: plan.count)
        // `matrix` is not a format of `check`.
        writer = format.makeWriter() ?? LineReport()
        let heading = ReportHeading(
            name: "connectd check", hasSuites: false, total: plan.count, detailNames: CheckCase.detailNames,
            prober: HostName.current, startedAtNanoseconds: Clock.wallNanoseconds())
        writer.begin(heading, on: output)
    }

    var tally: CheckTally { text.tally }

    mutating func add(_ result: CheckResult, of request: CheckRequest, at index: Int) {
        isFinished[index] = true
        text.count(result, of: request, collectsHints: format == .text)
        switch format {
        case .nagios: nagios.add(result, of: request, at: index)
        case .text: add(Array(text.lines(result, of: request).utf8), at: index)
        // The writer adds the line end.
        case .ndjson, .json: add(encoder.line(result, of: request).dropLast(), at: index)
        case .csv, .junit, .tap, .github, .markdown, .matrix:
            writer.add(
                CheckCase.make(result, of: request, at: index, source: plan.location(at: index)), to: output)
        }
    }

    /// Adds a case of a format that needs only the index and the content.
    private mutating func add(_ content: some Sequence<UInt8>, at index: Int) {
        writer.add(
            ReportCase(
                index: index, suite: "", name: "", target: "", verdict: .pass, outcome: "", message: "",
                content: Array(content)), to: output)
    }

    mutating func end(isInterrupted: Bool) {
        let unfinished = isFinished.indices.filter { !isFinished[$0] }
        let epilogue: String?
        switch format {
        case .text:
            epilogue = text.epilogue(unfinished: isInterrupted ? unfinished.map { plan.request(at: $0).target } : nil)
        case .nagios:
            epilogue =
                isInterrupted
                ? NagiosReport.line(
                    .unknown, "interrupted, \(unfinished.count) of \(plan.count) targets not finished") : nagios.text
        case .json, .ndjson, .csv, .junit, .tap, .github, .markdown, .matrix: epilogue = nil
        }
        writer.end(
            ReportSummary(
                text: summary(isInterrupted: isInterrupted), epilogue: epilogue, unfinished: unfinished.count,
                durationNanoseconds: Clock.now().since(started)), on: output)
    }

    func summary(isInterrupted: Bool) -> String { text.summary(isInterrupted: isInterrupted) }

    func nagiosStatus(isInterrupted: Bool) -> Int32 {
        (isInterrupted ? NagiosState.unknown : nagios.state).rawValue
    }
}
